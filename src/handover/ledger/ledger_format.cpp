// SPDX-License-Identifier: MIT
#include "handover/ledger/ledger_format.h"

#include <algorithm>

namespace handover {

using std::chrono::milliseconds;
using std::chrono::system_clock;

std::int64_t ms_of(system_clock::time_point time) noexcept {
    return std::chrono::duration_cast<milliseconds>(time.time_since_epoch()).count();
}

system_clock::time_point time_of(std::int64_t ms) noexcept {
    constexpr std::int64_t latest = 9'000'000'000'000;  // in the year 2255
    return system_clock::time_point(milliseconds(std::clamp<std::int64_t>(ms, 0, latest)));
}

}  // namespace handover
