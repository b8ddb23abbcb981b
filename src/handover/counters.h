// SPDX-License-Identifier: MIT
#pragma once

#include "handover/handover_result.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace handover {

/// A count that goes on from generation to generation. It lies in the ledger, which all that live
/// have mapped: each counts in the same place, so that nothing is lost or counted twice when one
/// dies or is rolled back.
///
/// Which total means what is a format that releases share: a new one is added at the end, and none
/// is ever used anew. Whatever is in them, they are numbers. Lock-free.
using Counter = std::atomic<std::uint64_t>;

inline void count_one(Counter& total) noexcept {
    total.fetch_add(1, std::memory_order_relaxed);
}

/// How long something took, counted by duration: a view of counters. Thread-safe.
class DurationHistogram {
  public:
    /// Upper bounds, inclusive. What is longer than all of them is counted, too.
    static constexpr std::array<std::chrono::microseconds, 18> bounds{
        std::chrono::microseconds{100},        std::chrono::microseconds{250},
        std::chrono::microseconds{500},        std::chrono::microseconds{1'000},
        std::chrono::microseconds{2'500},      std::chrono::microseconds{5'000},
        std::chrono::microseconds{10'000},     std::chrono::microseconds{25'000},
        std::chrono::microseconds{50'000},     std::chrono::microseconds{100'000},
        std::chrono::microseconds{250'000},    std::chrono::microseconds{500'000},
        std::chrono::microseconds{1'000'000},  std::chrono::microseconds{2'500'000},
        std::chrono::microseconds{5'000'000},  std::chrono::microseconds{10'000'000},
        std::chrono::microseconds{25'000'000}, std::chrono::microseconds{60'000'000}};
    static constexpr std::size_t classes = bounds.size() + 1;
    static constexpr std::size_t size = classes + 1;  // and the sum

    explicit DurationHistogram(std::span<Counter, size> counters) noexcept : counters_(counters) {}

    void add(std::chrono::nanoseconds duration) const noexcept;

    /// How many were longer than the bound before bounds[i], and not longer than that.
    [[nodiscard]] std::uint64_t count(std::size_t i) const noexcept { return counters_[i].load(); }
    [[nodiscard]] std::uint64_t count() const noexcept;
    [[nodiscard]] std::chrono::nanoseconds sum() const noexcept;

  private:
    std::span<Counter, size> counters_;
};

/// What all generations of a service have to tell about handovers: a view of counters. Thread-safe.
class HandoverCounters {
  public:
    static constexpr std::size_t size = 128;  ///< not all of them have a meaning yet

    explicit HandoverCounters(std::span<Counter, size> counters) noexcept : counters_(counters) {}

    void count(HandoverKind kind, HandoverOutcome outcome) const noexcept;
    [[nodiscard]] std::uint64_t count_of(HandoverKind kind, HandoverOutcome outcome) const noexcept;

    /// From the request to the moment in which the successor accepts, rolled back later or not.
    [[nodiscard]] DurationHistogram reloads() const noexcept { return durations_at(16); }
    /// From the stop of accepting to the moment in which the next generation accepts.
    [[nodiscard]] DurationHistogram restarts() const noexcept { return durations_at(36); }
    /// From the stop of accepting to the end of the last connection, or to the drain timeout.
    [[nodiscard]] DurationHistogram drains() const noexcept { return durations_at(56); }

  private:
    static std::size_t index(HandoverKind kind, HandoverOutcome outcome) noexcept;
    [[nodiscard]] DurationHistogram durations_at(std::size_t first) const noexcept {
        return DurationHistogram(std::span<Counter, DurationHistogram::size>(
            counters_.subspan(first, DurationHistogram::size)));
    }

    std::span<Counter, size> counters_;
};

}  // namespace handover
