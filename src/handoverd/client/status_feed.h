// SPDX-License-Identifier: MIT
#pragma once

#include "handoverd/client/admin_client.h"

#include <nlohmann/json.hpp>

#include <httplib.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace handoverd {

/// What a service says about itself, as it changes, from whichever generation answers: it follows
/// /events; where an older release has none, it asks for /status once a second. It goes on for as
/// long as it lives, and across handovers, whether somebody answers or not.
class StatusFeed {
  public:
    struct Callbacks {
        std::function<void(const nlohmann::json& status)> on_status;
        /// Nobody answers, or not any more, because of this fault; "" in the moment between two
        /// generations. The feed tries again.
        std::function<void(const std::string& fault)> on_silence;
    };
    /// Borrows the client. Both callbacks are called from a thread of its own.
    StatusFeed(const AdminClient& admin, Callbacks callbacks);
    /// Afterwards nothing is called any more.
    ~StatusFeed();
    StatusFeed(const StatusFeed&) = delete;
    StatusFeed& operator=(const StatusFeed&) = delete;

  private:
    void run();
    bool follow_events();
    void ask_for_status();
    void take_status(const nlohmann::json& status);
    void wait(std::chrono::milliseconds at_most);
    [[nodiscard]] bool is_stopping();

    const AdminClient& admin_;
    const Callbacks callbacks_;
    httplib::Client client_;
    std::optional<std::int64_t> generation_;      ///< that answered last
    std::optional<std::int64_t> without_events_;  ///< the generation that has none
    std::mutex mutex_;                            ///< guards all below
    std::condition_variable changed_;
    bool stopping_ = false;
    bool ended_ = false;
    std::thread thread_;
};

}  // namespace handoverd
