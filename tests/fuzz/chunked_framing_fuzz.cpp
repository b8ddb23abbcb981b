// SPDX-License-Identifier: MIT
// However the bytes are cut, the end of the body is found at the same place.
#include "fuzzer.h"
#include "http/chunked_framing.h"

#include <algorithm>

using handover::http::ChunkedFraming;

namespace {

constexpr std::uint64_t data_bytes_max = 1000;

std::size_t follow(ChunkedFraming& framing, const char* bytes, std::size_t size, std::size_t step) {
    std::size_t used = 0;
    while (used < size && !framing.ended() && !framing.failed()) {
        const auto part = std::min(step, size - used);
        const auto taken = framing.advance(bytes + used, part);
        require(taken <= part);
        used += taken;
    }
    return used;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto* bytes = reinterpret_cast<const char*>(data);
    ChunkedFraming whole(data_bytes_max);
    ChunkedFraming parts(data_bytes_max);
    const auto at_once = follow(whole, bytes, size, std::max<std::size_t>(size, 1));
    const auto one_by_one = follow(parts, bytes, size, 1);
    require(whole.ended() == parts.ended() && whole.failed() == parts.failed());
    if (whole.ended()) require(at_once == one_by_one);
    return 0;
}
