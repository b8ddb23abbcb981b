// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace handover::http {

/// As it stands in a Range header: "5-9", "5-" or "-5".
struct ByteRange {
    std::optional<std::uint64_t> first;  ///< not given: the last `last` bytes
    std::optional<std::uint64_t> last;   ///< not given: to the end

    bool operator==(const ByteRange&) const = default;
};

/// A part of something that has a size: never empty, and inside.
struct ByteSpan {
    std::uint64_t begin;
    std::uint64_t size;

    bool operator==(const ByteSpan&) const = default;
};

/// Reads the value of a Range header (RFC 9110, 14.2). nullopt for other units and for what is no
/// list of ranges: such a header is to be ignored. In the letter it is no more than all versions of
/// httplib take: "bytes" in small letters, no element empty, no space but after a comma; numbers
/// have 18 digits at most, so that no sum of two overflows.
[[nodiscard]] std::optional<std::vector<ByteRange>> parse_byte_ranges(std::string_view value);

/// What there is of these ranges in `size` bytes: in the order of the request, but those that
/// overlap or touch are one, in the place of the first of them. So no byte is there twice, however
/// often it was asked for. Empty if nothing can be satisfied (416).
[[nodiscard]] std::vector<ByteSpan> spans_within(const std::vector<ByteRange>& ranges,
                                                 std::uint64_t size);

}  // namespace handover::http
