// SPDX-License-Identifier: MIT
#include "handover/connection_counts.h"

#include <algorithm>
#include <numeric>

namespace handover {

std::string_view to_string(CloseReason reason) {
    switch (reason) {
        case CloseReason::moved:
            return "moved";
        case CloseReason::closed_by_client:
            return "closed_by_client";
        case CloseReason::last_response:
            return "last_response";
        case CloseReason::timed_out:
            return "timed_out";
        case CloseReason::drained:
            return "drained";
        case CloseReason::cut_at_deadline:
            return "cut_at_deadline";
        case CloseReason::no_room:
            return "no_room";
    }
    __builtin_unreachable();
}

std::uint64_t ConnectionCounts::ended_total() const {
    return std::accumulate(ended.begin(), ended.end(), std::uint64_t{0});
}

ConnectionCounts& ConnectionCounts::operator+=(const ConnectionCounts& other) {
    opened += other.opened;
    for (std::size_t i = 0; i < close_reason_count; ++i) ended[i] += other.ended[i];
    return *this;
}

ConnectionCounts ConnectionCounts::since(const ConnectionCounts& before) const {
    ConnectionCounts result;
    result.opened = opened - before.ended_total();
    for (std::size_t i = 0; i < close_reason_count; ++i)
        result.ended[i] = ended[i] - before.ended[i];
    return result;
}

std::string ConnectionCounts::to_sentence() const {
    std::string sentence = "held " + std::to_string(opened);
    const char* separator = " = ";
    const auto add = [&](std::uint64_t count, std::string what) {
        if (count == 0) return;
        std::replace(what.begin(), what.end(), '_', ' ');
        sentence += separator + std::to_string(count) + " " + what;
        separator = " + ";
    };
    for (const CloseReason reason : all_close_reasons)
        add((*this)[reason], std::string(to_string(reason)));
    add(open(), "still there");
    return sentence;
}

}  // namespace handover
