// SPDX-License-Identifier: MIT
#include "handover/tally.h"

#include <algorithm>
#include <numeric>

namespace handover {

std::string_view to_string(Ending ending) {
    switch (ending) {
        case Ending::moved:
            return "moved";
        case Ending::closed_by_client:
            return "closed_by_client";
        case Ending::last_response:
            return "last_response";
        case Ending::timed_out:
            return "timed_out";
        case Ending::drained:
            return "drained";
        case Ending::cut_at_deadline:
            return "cut_at_deadline";
        case Ending::no_room:
            return "no_room";
    }
    __builtin_unreachable();
}

std::uint64_t Tally::ended_in_all() const {
    return std::accumulate(ended.begin(), ended.end(), std::uint64_t{0});
}

Tally& Tally::operator+=(const Tally& other) {
    opened += other.opened;
    for (std::size_t i = 0; i < ending_count; ++i) ended[i] += other.ended[i];
    return *this;
}

Tally Tally::since(const Tally& before) const {
    Tally result;
    result.opened = opened - before.ended_in_all();
    for (std::size_t i = 0; i < ending_count; ++i) result.ended[i] = ended[i] - before.ended[i];
    return result;
}

std::string Tally::to_sentence() const {
    std::string sentence = "held " + std::to_string(opened);
    const char* separator = " = ";
    const auto add = [&](std::uint64_t count, std::string what) {
        if (count == 0) return;
        std::replace(what.begin(), what.end(), '_', ' ');
        sentence += separator + std::to_string(count) + " " + what;
        separator = " + ";
    };
    for (const Ending ending : all_endings) add((*this)[ending], std::string(to_string(ending)));
    add(held(), "still there");
    return sentence;
}

}  // namespace handover
