// SPDX-License-Identifier: MIT
// The time in /hello?sleep= comes from the network.
#include "fuzzer.h"
#include "handoverd/config/duration.h"

#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto duration =
        handoverd::parse_duration(std::string(reinterpret_cast<const char*>(data), size));
    if (duration) require(duration->count() >= 0);
    return 0;
}
