// SPDX-License-Identifier: MIT
#pragma once

#include "handover/base/event_loop.h"
#include "handoverd/client/status_feed.h"
#include "handoverd/config/options.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>

namespace handoverd {

/// One line on stderr, if that is a terminal, that says so and changes in place; it is gone when
/// this ends, so that the result stands in its place. A reload that takes no time shows none.
class ProgressLine {
  public:
    explicit ProgressLine(const Options& options);
    ~ProgressLine();
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    /// Goes on until this generation has let go of its last connection, or serves again, and
    /// returns the status that says so; nullopt if nothing does in that time, or if there is no
    /// terminal.
    std::optional<nlohmann::json> await_drained(std::int64_t generation,
                                                std::chrono::milliseconds at_most);

  private:
    using Clock = std::chrono::steady_clock;

    void paint();

    handover::EventLoop loop_;
    handover::Timer tick_;
    std::mutex mutex_;  ///< guards the status
    std::condition_variable status_comes_;
    std::optional<nlohmann::json> status_;
    Clock::time_point status_came_{};
    bool painted_ = false;
    std::optional<StatusFeed> feed_;
    std::thread thread_;
};

}  // namespace handoverd
