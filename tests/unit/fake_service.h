// SPDX-License-Identifier: MIT
#pragma once

#include "handover/service.h"

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
        calls.push_back("drain " + std::to_string(how.idle_grace.count()));
        drained = std::move(on_drained);
        if (drains_at_once) drained();
    }
    std::size_t close_remaining() override { return std::exchange(connections, 0); }
    [[nodiscard]] std::size_t open_connections() const override { return connections; }

    std::vector<std::string> calls;
    std::function<void()> drained;
    bool drains_at_once = false;
    std::size_t connections = 0;
};

}  // namespace handover::test
