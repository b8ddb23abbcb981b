// SPDX-License-Identifier: MIT
#pragma once

#include <poll.h>

#include <chrono>

namespace handover::test {

/// Lets time pass, for what is measured over it or paced by it. Who waits for something to happen
/// awaits that.
inline void pass_time(std::chrono::milliseconds time) {
    (void)::poll(nullptr, 0, static_cast<int>(time.count()));
}

}  // namespace handover::test
