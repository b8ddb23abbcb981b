// SPDX-License-Identifier: MIT
#pragma once

#include "handover/connection_counts.h"
#include "handover/counters.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace handover::http {

/// How many connections of a Server are doing what, at one moment. A value type.
struct ConnectionStates {
    std::size_t idle = 0;       ///< wait for a request of which nothing has come
    std::size_t receiving = 0;  ///< wait for the rest of a request
    std::size_t active = 0;     ///< have a worker: a request is being answered
    std::size_t lingering = 0;  ///< are over, but the client has not closed yet

    /// Are all numbers equal?
    bool operator==(const ConnectionStates&) const = default;
};

/// What a Server counts, together with those of earlier and later generations if the counters are
/// theirs, too (Server::count_in): a view of counters, which it borrows and which have to outlive
/// it and its copies. Thread-safe. Costs a request three atomic additions.
class ServerCounters {
  public:
    /// How many counters it takes; not all of them have a meaning yet.
    static constexpr std::size_t size = 640;
    /// The lowest status of a response that is counted by itself.
    static constexpr int first_status = 100;
    /// The highest status of a response that is counted by itself.
    static constexpr int last_status = 599;

    /// Borrows the counters.
    explicit ServerCounters(std::span<Counter, size> counters) noexcept : counters_(counters) {}

    /// Counts a connection that was accepted, or adopted from another generation; a Server does
    /// that by itself.
    void opened() const noexcept { increment(counters_[0]); }
    /// Counts a connection that this generation does not have any more; a Server does that by
    /// itself.
    void ended(CloseReason reason) const noexcept { increment(counters_[place_of(reason)]); }
    /// Counts a request that is being answered with this status, before the client can know; a
    /// Server does that by itself.
    void answered(int status) const noexcept { increment(counters_[place_of(status)]); }

    /// How many connections were accepted, or adopted from another generation.
    [[nodiscard]] std::uint64_t opened_count() const noexcept { return counters_[0].load(); }
    /// How many connections ended for this reason. One that moves is counted in each generation
    /// that gives it away.
    [[nodiscard]] std::uint64_t ended_count(CloseReason reason) const noexcept {
        return counters_[place_of(reason)].load();
    }
    /// How many requests were answered with this status; what is not from first_status to
    /// last_status, as a handler may set any number, counts as last_status.
    [[nodiscard]] std::uint64_t answered_count(int status) const noexcept {
        return counters_[place_of(status)].load();
    }
    /// Of each request the time from when all of its head was there until the end of its response.
    /// Requests that were refused before routing are not among them, and no WebSockets.
    [[nodiscard]] DurationHistogram durations() const noexcept {
        return DurationHistogram(std::span<Counter, DurationHistogram::size>(
            counters_.subspan(16, DurationHistogram::size)));
    }

  private:
    static std::size_t place_of(CloseReason reason) noexcept {
        static_assert(close_reason_count <= 15, "the durations come next");
        return 1 + static_cast<std::size_t>(reason);
    }
    static std::size_t place_of(int status) noexcept {
        const bool known = status >= first_status && status <= last_status;
        return 64 + static_cast<std::size_t>((known ? status : last_status) - first_status);
    }

    std::span<Counter, size> counters_;
};

}  // namespace handover::http
