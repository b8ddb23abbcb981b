// SPDX-License-Identifier: MIT
#pragma once

#include "handover/service.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace handover::test {

/// Notes what it is asked to do; drains when the test says so, or at once.
class FakeService : public Service {
  public:
    void start_accepting(const std::vector<const Listener*>& listeners) override {
        std::string names;
        for (const auto* listener : listeners) names += " " + listener->name;
        calls.push_back("start" + names);
    }
    void stop_accepting() override { calls.emplace_back("stop"); }
    void accept_queued_and_stop() override { calls.emplace_back("accept queued and stop"); }
    void drain(const Drain& how, std::function<void()> on_drained) override {
        calls.push_back((how.give ? "give " : "drain ") + std::to_string(how.idle_grace.count()));
        give = how.give;
        drained = std::move(on_drained);
        if (drains_at_once) drained();
    }
    void adopt(ParkedConnection connection) override {
        calls.push_back("adopt " + connection.listener + " '" + connection.unread + "'");
        ++counted.opened;
        drains_at_once = false;  // now there is something
        adopted.push_back(std::move(connection));
    }
    /// What a service does with a connection while Drain::give is set.
    void give_away(ParkedConnection connection) {
        ++counted[CloseReason::moved];
        give(std::move(connection));
    }
    std::size_t close_remaining() override {
        const auto left = counted.open();
        counted[CloseReason::cut_at_deadline] += left;
        return left;
    }
    [[nodiscard]] bool is_responsive(std::chrono::milliseconds) const override {
        return responsive;
    }
    [[nodiscard]] ConnectionCounts counts() const override { return counted; }

    std::vector<std::string> calls;
    std::function<void()> drained;
    bool drains_at_once = false;
    std::atomic<bool> responsive = true;
    std::function<void(ParkedConnection)> give;
    std::vector<ParkedConnection> adopted;
    ConnectionCounts counted;
};

}  // namespace handover::test
