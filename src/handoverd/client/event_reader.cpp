// SPDX-License-Identifier: MIT
#include "handoverd/client/event_reader.h"

#include <utility>

namespace handoverd {
namespace {

/// Far above what a handoverd sends: whoever sends more is not one.
constexpr std::size_t longest = std::size_t{4} << 20U;

}  // namespace

bool EventReader::read(std::string_view bytes) {
    for (const char byte : bytes) {
        const bool second_half = after_return_ && byte == '\n';
        after_return_ = byte == '\r';
        if (second_half) continue;
        if (byte == '\n' || byte == '\r')
            take_line(std::exchange(line_, {}));
        else
            line_ += byte;
        if (line_.size() + data_.size() > longest) return false;
    }
    return true;
}

void EventReader::take_line(std::string_view line) {
    if (line.empty()) {
        if (!data_.empty()) {
            data_.pop_back();  // the newline behind the last line of it
            on_event_(event_.empty() ? "message" : event_, data_);
        }
        event_.clear();
        data_.clear();
        return;
    }
    const auto colon = line.find(':');
    const auto field = line.substr(0, colon);
    auto value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (field == "event") event_ = value;
    if (field == "data") data_.append(value).append("\n");
}

}  // namespace handoverd
