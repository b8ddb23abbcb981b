// SPDX-License-Identifier: MIT
// Of whatever a Range header asks for: what is found is there, is asked for, and is there once.
#include "fuzzer.h"
#include "http/byte_ranges.h"

#include <algorithm>
#include <string_view>

using namespace handover::http;

namespace {

bool asked_for(const std::vector<ByteRange>& ranges, std::uint64_t place, std::uint64_t size) {
    return std::any_of(ranges.begin(), ranges.end(), [&](const ByteRange& range) {
        if (!range.first) return place >= size - std::min(*range.last, size);
        return place >= *range.first && (!range.last || place <= *range.last);
    });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::uint64_t file_size = data[0];
    const auto ranges = parse_byte_ranges(
        {reinterpret_cast<const char*>(data) + 1, std::min<std::size_t>(size - 1, 200)});
    if (!ranges) return 0;
    const auto spans = spans_within(*ranges, file_size);
    for (std::uint64_t place = 0; place < file_size; ++place) {
        const auto covering = std::count_if(spans.begin(), spans.end(), [&](const ByteSpan& span) {
            return place >= span.begin && place - span.begin < span.size;
        });
        require(covering == (asked_for(*ranges, place, file_size) ? 1 : 0));
    }
    for (const auto& [begin, count] : spans)
        require(count > 0 && begin < file_size && count <= file_size - begin);
    return 0;
}
