// SPDX-License-Identifier: MIT
#pragma once

#include "support/load_report.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handover::test {

/// Makes a LoadReport while the client goes on. Not thread-safe.
class LoadRecorder {
  public:
    using Clock = std::chrono::steady_clock;

    /// Incidents count their time from now.
    void start() { began_ = Clock::now(); }
    /// A connection that was meant to stay has ended, and another is opened in its place.
    void reconnecting() { ++report_.reconnects; }
    void connected() { ++report_.connections_opened; }
    /// A response said Connection: close unasked.
    void close_announced() { ++report_.announced_closes; }
    void closed_while_idle(const std::string& detail);
    /// A request was answered with 200, after `latency`, by whom its headers name.
    void answered(Clock::duration latency, const std::optional<std::string>& generation,
                  const std::optional<std::string>& pid);
    /// A request came to another end. `fresh`: it was the first on its connection.
    void failed(Outcome outcome, bool fresh, const std::string& detail);

    [[nodiscard]] LoadReport report() const;
    /// What can be told cheaply at any time: outcomes and connections.
    [[nodiscard]] LoadReport counts() const;
    /// The report, and begins the next one.
    LoadReport take();

  private:
    void count(Outcome outcome);
    void note(std::string_view kind, const std::string& detail);

    Clock::time_point began_ = Clock::now();
    std::optional<Clock::time_point> last_answer_;
    LoadReport report_;
    std::vector<std::uint32_t> latencies_us_;
};

}  // namespace handover::test
