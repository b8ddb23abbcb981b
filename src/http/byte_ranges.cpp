// SPDX-License-Identifier: MIT
#include "http/byte_ranges.h"

#include <algorithm>

namespace handover::http {
namespace {

constexpr std::string_view unit = "bytes=";
constexpr std::size_t digits_max = 18;

/// False if it is no number; no digits at all are one that is not given.
bool read_number(std::string_view digits, std::optional<std::uint64_t>& number) {
    if (digits.empty()) return true;
    if (digits.size() > digits_max) return false;
    std::uint64_t value = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9') return false;
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    number = value;
    return true;
}

std::optional<ByteRange> parse_one(std::string_view text) {
    const auto dash = text.find('-');
    if (dash == std::string_view::npos || text.size() == 1) return std::nullopt;
    ByteRange range;
    if (!read_number(text.substr(0, dash), range.first) ||
        !read_number(text.substr(dash + 1), range.last) ||
        (range.first && range.last && *range.first > *range.last))
        return std::nullopt;
    return range;
}

std::optional<ByteSpan> span_within(const ByteRange& range, std::uint64_t size) {
    if (!range.first) {
        const auto count = std::min(range.last.value_or(0), size);
        return count == 0 ? std::nullopt : std::optional(ByteSpan{size - count, count});
    }
    if (*range.first >= size) return std::nullopt;
    const auto last = std::min(range.last.value_or(size - 1), size - 1);
    return ByteSpan{*range.first, last - *range.first + 1};
}

bool overlap_or_touch(const ByteSpan& a, const ByteSpan& b) {
    return a.begin <= b.begin + b.size && b.begin <= a.begin + a.size;
}

ByteSpan both(const ByteSpan& a, const ByteSpan& b) {
    const auto begin = std::min(a.begin, b.begin);
    return {begin, std::max(a.begin + a.size, b.begin + b.size) - begin};
}

void add(ByteSpan span, std::vector<ByteSpan>& spans) {
    auto place = spans.size();
    for (std::size_t i = 0; i < spans.size();) {
        if (!overlap_or_touch(spans[i], span)) {
            ++i;
            continue;
        }
        span = both(spans[i], span);
        spans.erase(spans.begin() + static_cast<std::ptrdiff_t>(i));
        place = std::min(place, i);
        i = 0;  // having grown it may reach another one
    }
    spans.insert(spans.begin() + static_cast<std::ptrdiff_t>(std::min(place, spans.size())), span);
}

}  // namespace

std::optional<std::vector<ByteRange>> parse_byte_ranges(std::string_view value) {
    if (!value.starts_with(unit)) return std::nullopt;
    value.remove_prefix(unit.size());
    std::vector<ByteRange> ranges;
    for (;;) {
        const auto comma = value.find(',');
        const auto range = parse_one(value.substr(0, comma));
        if (!range) return std::nullopt;
        ranges.push_back(*range);
        if (comma == std::string_view::npos) return ranges;
        value.remove_prefix(comma + 1);
        value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    }
}

std::vector<ByteSpan> spans_within(const std::vector<ByteRange>& ranges, std::uint64_t size) {
    std::vector<ByteSpan> spans;
    for (const auto& range : ranges)
        if (const auto span = span_within(range, size)) add(*span, spans);
    return spans;
}

}  // namespace handover::http
