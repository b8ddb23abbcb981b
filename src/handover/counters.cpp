// SPDX-License-Identifier: MIT
#include "handover/counters.h"

#include <numeric>

namespace handover {

void DurationHistogram::add(std::chrono::nanoseconds duration) const noexcept {
    std::size_t i = 0;
    while (i < bounds.size() && duration > bounds[i]) ++i;
    increment(counters_[i]);
    counters_[buckets].fetch_add(static_cast<std::uint64_t>(duration.count()),
                                 std::memory_order_relaxed);
}

std::uint64_t DurationHistogram::count() const noexcept {
    return std::accumulate(counters_.begin(), counters_.begin() + buckets, std::uint64_t{0});
}

std::chrono::nanoseconds DurationHistogram::sum() const noexcept {
    return std::chrono::nanoseconds(counters_[buckets].load());
}

std::size_t HandoverCounters::index(HandoverKind kind, HandoverOutcome outcome) noexcept {
    return static_cast<std::size_t>(kind) * all_handover_outcomes.size() +
           static_cast<std::size_t>(outcome);
}

void HandoverCounters::count(HandoverKind kind, HandoverOutcome outcome) const noexcept {
    increment(counters_[index(kind, outcome)]);
}

std::uint64_t HandoverCounters::count_of(HandoverKind kind,
                                         HandoverOutcome outcome) const noexcept {
    return counters_[index(kind, outcome)].load();
}

}  // namespace handover
