// SPDX-License-Identifier: MIT
#pragma once

#include "bench/server.h"

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace handover::bench {

/// What one run of one measurement on one server gave: numbers by name.
using Sample = std::map<std::string, double>;

/// How long and how often. The short form is for machines that only want to know what gets lost.
struct Extent {
    std::chrono::milliseconds steady;      ///< of a run in which nothing happens
    std::chrono::milliseconds pace;        ///< from one reload or restart to the next
    std::chrono::milliseconds idle_watch;  ///< how long the CPU time of idle connections is taken
    int reloads = 10;
    int restarts = 5;
    std::size_t idle_connections = 10'000;
    double rate = 5000;  ///< requests per second of the load at a fixed rate

    [[nodiscard]] static Extent full();
    [[nodiscard]] static Extent brief();
};

struct Measurement {
    std::string name;
    /// Whether there is something to be measured: some servers have no reload.
    std::function<bool(const ServerKind&)> applies;
    std::function<Sample(Server&, const Extent&)> run;
};

/// throughput, reload, restart, idle.
[[nodiscard]] std::vector<Measurement> all_measurements();

}  // namespace handover::bench
