// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace handover {

/// A count that goes on from generation to generation. It lies in the ledger, which all that live
/// have mapped: each counts in the same place, so that nothing is lost or counted twice when one
/// dies or is rolled back.
///
/// Which total means what is a format that releases share: a new one is added at the end, and none
/// is ever used anew. Whatever is in them, they are numbers. Lock-free.
using Total = std::atomic<std::uint64_t>;

inline void count_one(Total& total) noexcept {
    total.fetch_add(1, std::memory_order_relaxed);
}

/// How long something took, counted by duration: a view of totals. Thread-safe.
class DurationTotals {
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

    explicit DurationTotals(std::span<Total, size> totals) noexcept : totals_(totals) {}

    void add(std::chrono::nanoseconds duration) const noexcept;

    /// How many were longer than the bound before bounds[i], and not longer than that.
    [[nodiscard]] std::uint64_t count(std::size_t i) const noexcept { return totals_[i].load(); }
    [[nodiscard]] std::uint64_t count() const noexcept;
    [[nodiscard]] std::chrono::nanoseconds sum() const noexcept;

  private:
    std::span<Total, size> totals_;
};

/// From which end of the generation before a generation took over.
enum class HandoverKind : std::uint8_t {
    reload,   ///< both lived
    restart,  ///< it left its listeners in the fd store
    crash,    ///< it ended without a word
};
inline constexpr std::array all_handover_kinds{HandoverKind::reload, HandoverKind::restart,
                                               HandoverKind::crash};

enum class HandoverOutcome : std::uint8_t {
    ok,           ///< and, after a reload, the probation is over
    failed,       ///< the successor never took over
    rolled_back,  ///< it did, and died on probation
};
inline constexpr std::array all_handover_outcomes{HandoverOutcome::ok, HandoverOutcome::failed,
                                                  HandoverOutcome::rolled_back};

/// For people and programs: "reload", "rolled_back".
[[nodiscard]] std::string_view to_string(HandoverKind kind);
[[nodiscard]] std::string_view to_string(HandoverOutcome outcome);

/// What all generations of a service have to tell about handovers: a view of totals. Thread-safe.
class HandoverTotals {
  public:
    static constexpr std::size_t size = 128;  ///< not all of them have a meaning yet

    explicit HandoverTotals(std::span<Total, size> totals) noexcept : totals_(totals) {}

    void count(HandoverKind kind, HandoverOutcome outcome) const noexcept;
    [[nodiscard]] std::uint64_t count_of(HandoverKind kind, HandoverOutcome outcome) const noexcept;

    /// From the request to the moment in which the successor accepts, rolled back later or not.
    [[nodiscard]] DurationTotals reloads() const noexcept { return durations_at(16); }
    /// From the stop of accepting to the moment in which the next generation accepts.
    [[nodiscard]] DurationTotals restarts() const noexcept { return durations_at(36); }
    /// From the stop of accepting to the end of the last connection, or to the drain timeout.
    [[nodiscard]] DurationTotals drains() const noexcept { return durations_at(56); }

  private:
    static std::size_t index(HandoverKind kind, HandoverOutcome outcome) noexcept;
    [[nodiscard]] DurationTotals durations_at(std::size_t first) const noexcept {
        return DurationTotals(
            std::span<Total, DurationTotals::size>(totals_.subspan(first, DurationTotals::size)));
    }

    std::span<Total, size> totals_;
};

}  // namespace handover
