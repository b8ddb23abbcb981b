// SPDX-License-Identifier: MIT
#pragma once

#include "handoverd/client/admin_client.h"
#include "handoverd/client/status_feed.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>

namespace handoverd {

/// How far a reload has come, on one line of stderr that changes in place, if that is a terminal.
/// The line is gone when this object is, so that the result stands in its place. A reload that
/// takes no time shows none.
class ProgressLine {
  public:
    /// Borrows the client.
    explicit ProgressLine(const AdminClient& admin);
    ~ProgressLine();
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    /// Goes on until this generation has closed or moved its last connection, or serves again, and
    /// returns the status that says so; nullopt if nothing does in that time, or if there is no
    /// terminal.
    std::optional<nlohmann::json> await_drained(std::int64_t generation,
                                                std::chrono::milliseconds at_most);

  private:
    using Clock = std::chrono::steady_clock;

    void run();
    void paint();

    std::mutex mutex_;  ///< guards all but the threads
    std::condition_variable changed_;
    std::optional<nlohmann::json> status_;
    Clock::time_point status_came_{};
    bool stopping_ = false;
    bool painted_ = false;
    std::optional<StatusFeed> feed_;
    std::thread thread_;
};

}  // namespace handoverd
