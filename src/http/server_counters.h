// SPDX-License-Identifier: MIT
#pragma once

#include "handover/connection_counts.h"
#include "handover/counters.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace handover::http {

/// How many connections are doing what.
struct ConnectionStates {
    std::size_t idle = 0;       ///< nothing of a next request has come
    std::size_t receiving = 0;  ///< a part of a request has
    std::size_t active = 0;     ///< a worker has it: a request is being answered
    std::size_t lingering = 0;  ///< over; the client has not closed yet

    bool operator==(const ConnectionStates&) const = default;
};

/// What a Server counts, and those before and after it where the counters go on: a view of them.
/// Thread-safe. Costs a request three atomic additions.
class ServerCounters {
  public:
    static constexpr std::size_t size = 640;  ///< not all of them have a meaning yet
    static constexpr int first_status = 100;
    static constexpr int last_status = 599;

    explicit ServerCounters(std::span<Counter, size> counters) noexcept : counters_(counters) {}

    /// A connection was accepted, or adopted from another generation; and what ended it here.
    void opened() const noexcept { count_one(counters_[0]); }
    void ended(CloseReason ending) const noexcept { count_one(counters_[place_of(ending)]); }
    /// A request was answered with this status. Before the client can know.
    void answered(int status) const noexcept { count_one(counters_[place_of(status)]); }

    [[nodiscard]] std::uint64_t opened_count() const noexcept { return counters_[0].load(); }
    [[nodiscard]] std::uint64_t ended_count(CloseReason ending) const noexcept {
        return counters_[place_of(ending)].load();
    }
    [[nodiscard]] std::uint64_t answered_count(int status) const noexcept {
        return counters_[place_of(status)].load();
    }
    /// From when there was all of a request's head, to the end of its response. Requests that were
    /// refused are not among them, nor what was a WebSocket.
    [[nodiscard]] DurationHistogram durations() const noexcept {
        return DurationHistogram(std::span<Counter, DurationHistogram::size>(
            counters_.subspan(16, DurationHistogram::size)));
    }

  private:
    static std::size_t place_of(CloseReason ending) noexcept {
        static_assert(close_reason_count <= 15, "the durations come next");
        return 1 + static_cast<std::size_t>(ending);
    }
    /// A handler may set any number: what is no status counts as 599.
    static std::size_t place_of(int status) noexcept {
        const bool known = status >= first_status && status <= last_status;
        return 64 + static_cast<std::size_t>((known ? status : last_status) - first_status);
    }

    std::span<Counter, size> counters_;
};

}  // namespace handover::http
