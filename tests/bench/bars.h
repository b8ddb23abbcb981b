// SPDX-License-Identifier: MIT
#pragma once

#include "bench/results.h"

#include <string>
#include <vector>

namespace handover::bench {

/// What handoverd has to reach.
struct Verdict {
    enum class Kind { lost, bar, goal };
    std::string what;
    std::string required;
    std::string measured;
    Kind kind = Kind::bar;
    bool passed = false;
};

/// One for each bar whose measurement has been made. What may be lost is judged by the worst round,
/// everything else by the median.
[[nodiscard]] std::vector<Verdict> judge(const Results& results, std::size_t idle_connections);

/// A server that is known to lose requests when it is reloaded under load: if the client does not
/// see any of it, its zeros mean nothing.
constexpr auto control = "nginx, HUP";
/// One sentence on whether the control was lost requests of; empty if it was not measured.
[[nodiscard]] std::string describe_control(const Results& results);

}  // namespace handover::bench
