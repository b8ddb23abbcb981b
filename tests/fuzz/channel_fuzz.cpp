// SPDX-License-Identifier: MIT
// A message that is accepted is encoded to one that is accepted and says the same.
#include "fuzzer.h"
#include "handover/peer/channel.h"

#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto message = handover::decode(bytes);
    if (!message) return 0;
    const auto again = handover::decode(handover::encode(*message));
    require(again && again->type == message->type && again->fields == message->fields);
    return 0;
}
