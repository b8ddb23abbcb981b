// SPDX-License-Identifier: MIT
// What parses prints as a text that parses to the same; what does not, throws Error.
#include "fuzzer.h"
#include "handover/endpoint.h"
#include "handover/error.h"

#include <string_view>

using handover::Endpoint;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try {
        const auto endpoint = Endpoint::parse(text);
        const auto again = Endpoint::parse(endpoint.to_string());
        require(endpoint == again && endpoint.matches(again));
        require(endpoint.address_length() <= sizeof(sockaddr_storage));
    } catch (const handover::Error& error) {
        require(error.kind() == handover::Error::Kind::config);
    }
    return 0;
}
