// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace handover {

/// A main process that has served for so long is no part of a crash loop.
constexpr std::chrono::milliseconds established_after{10'000};

/// How long a start after a crash waits before it serves, when so many main processes in a row have
/// crashed before they were established. Twice is bad luck; a release that cannot stay up should
/// not take a processor to itself. The service manager could do that too, but not before systemd
/// 254 (RestartSteps=, systemd.service(5)). Meanwhile clients wait in the listener's queue.
[[nodiscard]] constexpr std::chrono::milliseconds backoff_after(std::uint64_t crashes) {
    constexpr std::uint64_t tolerated = 2;
    constexpr std::uint64_t doublings_most = 6;
    constexpr std::chrono::milliseconds first{100};
    constexpr std::chrono::milliseconds longest{5'000};
    if (crashes <= tolerated) return std::chrono::milliseconds(0);
    return std::min(longest, first * (1U << std::min(crashes - tolerated, doublings_most)));
}

}  // namespace handover
