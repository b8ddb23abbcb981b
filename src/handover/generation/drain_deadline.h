// SPDX-License-Identifier: MIT
#pragma once

#include "handover/base/event_loop.h"
#include "handover/counters.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>

namespace handover {

/// How long a generation that accepts no more may finish what is in flight, how long that took, and
/// what was cut at the end of it. It may start again after a stop() or a cut(), as when a successor
/// dies on probation. Owns its timer; works on an EventLoop, which must outlive it. Not
/// thread-safe.
class DrainDeadline {
  public:
    struct Limits {
        std::chrono::milliseconds timeout{0};     ///< from start()
        std::chrono::milliseconds last_grace{0};  ///< from shorten()
        std::size_t draining_max = 0;             ///< generations, for why_cut()
    };

    /// `durations` get the time of each drain. `passed` is called from the loop when the deadline
    /// is over; it must not destroy this object.
    DrainDeadline(EventLoop& loop, Limits limits, DurationHistogram durations,
                  std::function<void()> passed);

    /// From now on. While it runs already, this changes nothing.
    void start();
    /// Too many generations drain, and this one is among the oldest: only the last grace is left,
    /// or what was left if that is less. False if that had been said before.
    bool shorten();
    /// No connection is left. The deadline stands: what comes back of a successor may use it.
    void note_drained();
    /// As if it had never started: this generation serves again.
    void stop();
    /// It is over, and so many connections were closed that had not finished.
    void cut(std::size_t connections);

    /// nullopt: it does not run.
    [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> ends() const {
        return ends_;
    }
    /// 0 if it does not run; negative when it has passed.
    [[nodiscard]] std::chrono::milliseconds left() const;
    /// Of the last cut().
    [[nodiscard]] std::size_t cut_connections() const { return cut_connections_; }
    /// A sentence about them; empty as long as no connection was cut.
    [[nodiscard]] const std::string& why_cut() const { return why_cut_; }

  private:
    const Limits limits_;
    const DurationHistogram durations_;
    Timer timer_;
    std::optional<std::chrono::steady_clock::time_point> ends_;
    std::optional<std::chrono::steady_clock::time_point> drains_since_;
    bool over_quota_ = false;
    std::size_t cut_connections_ = 0;
    std::string why_cut_;
};

}  // namespace handover
