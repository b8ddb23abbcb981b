// SPDX-License-Identifier: MIT
#include "support/response_reader.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace handover::test {
namespace {

bool same_text(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
        return std::tolower(x) == std::tolower(y);
    });
}

template <typename Number>
bool parse(std::string_view text, Number& number, int base = 10) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

ResponseReader::State ResponseReader::feed(std::string_view bytes) {
    if (bytes.empty() || state_ == State::malformed) return state_;
    if (state_ == State::complete) return state_ = State::malformed;
    state_ = State::partial;
    pending_.append(bytes);
    return state_ = judge();
}

ResponseReader::State ResponseReader::end() {
    if (state_ == State::partial && head_done_ && until_close_) state_ = State::complete;
    return state_;
}

std::optional<std::string> ResponseReader::field(std::string_view name) const {
    std::size_t begin = head_.find("\r\n");
    while (begin != std::string::npos && begin + 2 < head_.size()) {
        begin += 2;
        const std::size_t end = head_.find("\r\n", begin);
        const auto line = std::string_view(head_).substr(begin, end - begin);
        const std::size_t colon = line.find(':');
        if (colon != std::string_view::npos && same_text(line.substr(0, colon), name)) {
            auto value = line.substr(colon + 1);
            while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
            while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
            return std::string(value);
        }
        begin = end;
    }
    return std::nullopt;
}

ResponseReader::State ResponseReader::judge() {
    while (!head_done_) {
        const std::size_t end = pending_.find("\r\n\r\n");
        if (end == std::string::npos) {
            const std::size_t known = std::min<std::size_t>(pending_.size(), 5);
            const bool http = pending_.compare(0, known, "HTTP/", known) == 0;
            return http && pending_.size() < 65536 ? State::partial : State::malformed;
        }
        head_ = pending_.substr(0, end + 2);
        pending_.erase(0, end + 4);
        if (!read_head()) return State::malformed;
        head_done_ = status_ >= 200;
    }
    if (chunked_) return read_chunks();
    if (until_close_) {
        pending_.clear();
        return State::partial;
    }
    if (pending_.size() > body_left_) return State::malformed;
    body_left_ -= pending_.size();
    pending_.clear();
    return body_left_ == 0 ? State::complete : State::partial;
}

/// False when the status line or the framing makes no sense.
bool ResponseReader::read_head() {
    if (head_.compare(0, 7, "HTTP/1.") != 0 || head_.size() < 12) return false;
    if (!parse(std::string_view(head_).substr(9, 3), status_)) return false;
    const auto connection = field("Connection");
    closes_ = connection && same_text(*connection, "close");
    chunked_ = false;
    until_close_ = false;
    body_left_ = 0;
    if (status_ < 200 || status_ == 204 || status_ == 304) return true;
    const auto encoding = field("Transfer-Encoding");
    const auto length = field("Content-Length");
    if (encoding) {
        chunked_ = same_text(*encoding, "chunked");
        return chunked_ && !length;
    }
    if (!length) {
        until_close_ = true;
        return true;
    }
    return parse(*length, body_left_);
}

ResponseReader::State ResponseReader::read_chunks() {
    while (true) {
        const std::size_t line = pending_.find("\r\n");
        if (line == std::string::npos) return State::partial;
        std::size_t size = 0;
        const auto digits =
            std::string_view(pending_).substr(0, std::min(line, pending_.find(';')));
        if (!parse(digits, size, 16)) return State::malformed;
        // The last chunk is followed by an empty line; trailers are not expected from our server.
        if (pending_.size() < line + 2 + size + 2) return State::partial;
        if (pending_.compare(line + 2 + size, 2, "\r\n") != 0) return State::malformed;
        pending_.erase(0, line + 2 + size + 2);
        if (size == 0) return pending_.empty() ? State::complete : State::malformed;
    }
}

}  // namespace handover::test
