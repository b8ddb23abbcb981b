// SPDX-License-Identifier: MIT
#pragma once

#include "handover/event_loop.h"
#include "handoverd/options.h"
#include "handoverd/status_feed.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <optional>
#include <thread>

namespace handoverd {

/// One line on stderr, if that is a terminal, that says so and changes in place; it is gone when
/// this ends, so that the result stands in its place. A reload that takes no time shows none.
class ReloadProgress {
  public:
    explicit ReloadProgress(const Options& options);
    ~ReloadProgress();
    ReloadProgress(const ReloadProgress&) = delete;
    ReloadProgress& operator=(const ReloadProgress&) = delete;

  private:
    void paint();

    handover::EventLoop loop_;
    handover::Timer tick_;
    std::optional<nlohmann::json> status_;
    std::chrono::steady_clock::time_point status_came_{};
    bool painted_ = false;
    std::optional<StatusFeed> feed_;
    std::thread thread_;
};

}  // namespace handoverd
