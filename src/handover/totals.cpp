// SPDX-License-Identifier: MIT
#include "handover/totals.h"

#include <numeric>

namespace handover {

void DurationTotals::add(std::chrono::nanoseconds duration) const noexcept {
    std::size_t i = 0;
    while (i < bounds.size() && duration > bounds[i]) ++i;
    count_one(totals_[i]);
    totals_[classes].fetch_add(static_cast<std::uint64_t>(duration.count()),
                               std::memory_order_relaxed);
}

std::uint64_t DurationTotals::count() const noexcept {
    return std::accumulate(totals_.begin(), totals_.begin() + classes, std::uint64_t{0});
}

std::chrono::nanoseconds DurationTotals::sum() const noexcept {
    return std::chrono::nanoseconds(totals_[classes].load());
}

std::string_view to_string(HandoverKind kind) {
    switch (kind) {
        case HandoverKind::reload:
            return "reload";
        case HandoverKind::restart:
            return "restart";
        case HandoverKind::crash:
            return "crash";
    }
    __builtin_unreachable();
}

std::string_view to_string(HandoverOutcome outcome) {
    switch (outcome) {
        case HandoverOutcome::ok:
            return "ok";
        case HandoverOutcome::failed:
            return "failed";
        case HandoverOutcome::rolled_back:
            return "rolled_back";
    }
    __builtin_unreachable();
}

std::size_t HandoverTotals::index(HandoverKind kind, HandoverOutcome outcome) noexcept {
    return static_cast<std::size_t>(kind) * all_handover_outcomes.size() +
           static_cast<std::size_t>(outcome);
}

void HandoverTotals::count(HandoverKind kind, HandoverOutcome outcome) const noexcept {
    count_one(totals_[index(kind, outcome)]);
}

std::uint64_t HandoverTotals::count_of(HandoverKind kind, HandoverOutcome outcome) const noexcept {
    return totals_[index(kind, outcome)].load();
}

}  // namespace handover
