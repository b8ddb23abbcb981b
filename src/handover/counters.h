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

/// A count that goes on from generation to generation. It lies in a memory file that all living
/// generations of a service have mapped: each counts in the same place, so that nothing is lost or
/// counted twice when one dies or is rolled back. A 64-bit atomic without a lock, for any thread.
///
/// Which counter means what is a format that releases share: a new meaning is given to one that
/// never had any, and none is used anew. Whatever another release has written there, it is a
/// number.
using Counter = std::atomic<std::uint64_t>;

/// Adds one, without an order in regard to other memory. Thread-safe.
inline void increment(Counter& counter) noexcept {
    counter.fetch_add(1, std::memory_order_relaxed);
}

/// How long something took, counted in buckets of durations: a view of counters, which it borrows
/// and which have to outlive it and its copies. Thread-safe.
class DurationHistogram {
  public:
    /// The longest duration in each bucket but the last, which has what is longer than all these.
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
    /// How many buckets there are.
    static constexpr std::size_t buckets = bounds.size() + 1;
    /// How many counters it takes: one for each bucket, and one for the sum.
    static constexpr std::size_t size = buckets + 1;

    /// Borrows the counters: those of the buckets, then the sum in nanoseconds.
    explicit DurationHistogram(std::span<Counter, size> counters) noexcept : counters_(counters) {}

    /// Counts one duration.
    void add(std::chrono::nanoseconds duration) const noexcept;

    /// How many durations are in one bucket (`bucket` < buckets): longer than bounds[bucket - 1]
    /// and not longer than bounds[bucket]. Those of the buckets before are not among them, unlike
    /// in what Prometheus reads.
    [[nodiscard]] std::uint64_t count(std::size_t bucket) const noexcept {
        return counters_[bucket].load();
    }
    /// How many durations there are in all buckets.
    [[nodiscard]] std::uint64_t count() const noexcept;
    /// All durations together.
    [[nodiscard]] std::chrono::nanoseconds sum() const noexcept;

  private:
    std::span<Counter, size> counters_;
};

/// The handovers of a service, counted by all of its generations together: a view of counters,
/// which it borrows and which have to outlive it and its copies. Those of
/// Generation::handover_counters() live as long as the Generation. Thread-safe.
class HandoverCounters {
  public:
    /// How many counters it takes; not all of them have a meaning yet.
    static constexpr std::size_t size = 128;

    /// Borrows the counters.
    explicit HandoverCounters(std::span<Counter, size> counters) noexcept : counters_(counters) {}

    /// Counts one handover; a generation does that by itself.
    void count(HandoverKind kind, HandoverOutcome outcome) const noexcept;
    /// How many handovers of this kind had this outcome.
    [[nodiscard]] std::uint64_t count_of(HandoverKind kind, HandoverOutcome outcome) const noexcept;

    /// Of each reload the time from the request until the successor accepts, whether it is rolled
    /// back later or not. Failed ones are not among them.
    [[nodiscard]] DurationHistogram reloads() const noexcept { return durations_at(16); }
    /// Of each restart the time in which nobody accepts: from the last generation's stop of
    /// accepting until the next one accepts.
    [[nodiscard]] DurationHistogram restarts() const noexcept { return durations_at(36); }
    /// Of each generation the time from its stop of accepting until its last connection has ended,
    /// or its drain timeout.
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
