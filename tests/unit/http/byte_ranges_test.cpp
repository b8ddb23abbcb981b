// SPDX-License-Identifier: MIT
#include "http/byte_ranges.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace handover::http {
namespace {

using Ranges = std::vector<ByteRange>;
using Spans = std::vector<ByteSpan>;

struct Header {
    std::string value;
    Ranges ranges;
};

TEST(ByteRanges, are_read_as_RFC_9110_has_them) {
    const std::vector<Header> table{
        {"bytes=0-499", {{0, 499}}},
        {"bytes=500-999", {{500, 999}}},
        {"bytes=-500", {{std::nullopt, 500}}},
        {"bytes=9500-", {{9500, std::nullopt}}},
        {"bytes=0-0,-1", {{0, 0}, {std::nullopt, 1}}},
        {"bytes= 0-0", {}},
        {"bytes=0-999, 4500-5499, -1000", {{0, 999}, {4500, 5499}, {std::nullopt, 1000}}},
        {"bytes=500-700,\t601-999", {{500, 700}, {601, 999}}},
        {"bytes=-0", {{std::nullopt, 0}}},
        {"bytes=007-08", {{7, 8}}},
        {"bytes=0-999999999999999999", {{0, 999999999999999999U}}},
    };
    for (const auto& [value, ranges] : table) {
        const auto found = parse_byte_ranges(value);
        EXPECT_EQ(found.value_or(Ranges()), ranges) << value;
        EXPECT_EQ(found.has_value(), !ranges.empty()) << value;
    }
}

TEST(ByteRanges, that_are_none_are_to_be_ignored) {
    for (const char* value : {"",
                              "bytes",
                              "bytes=",
                              "bytes=-",
                              "bytes=--1",
                              "bytes=1",
                              "bytes=a-b",
                              "bytes=0x0-1",
                              "bytes=5-4",
                              "bytes=0-1,",
                              "bytes=,0-1",
                              "bytes=0-1,,2-3",
                              "bytes=0-1 ,2-3",
                              "bytes=0 -1",
                              "bytes=0- 1",
                              "bytes =0-1",
                              "bytes=+1-2",
                              "bytes=0-1;2-3",
                              "items=0-1",
                              "BYTES=0-1",
                              "bytes=0-1,items=2-3",
                              "bytes=0-1000000000000000000",
                              "bytes=99999999999999999999-",
                              "bytes=-99999999999999999999",
                              " bytes=0-1"})
        EXPECT_FALSE(parse_byte_ranges(value)) << value;
}

struct Fitted {
    std::string value;
    Spans spans;
};

const std::vector<Fitted> of_ten_bytes{
    {"bytes=0-3", {{0, 4}}},
    {"bytes=9-9", {{9, 1}}},
    {"bytes=8-100", {{8, 2}}},
    {"bytes=4-", {{4, 6}}},
    {"bytes=-4", {{6, 4}}},
    {"bytes=-100", {{0, 10}}},
    {"bytes=10-", {}},
    {"bytes=10-20,30-40", {}},
    {"bytes=-0", {}},
    {"bytes=999999999999999999-", {}},
    {"bytes=0-1,20-", {{0, 2}}},
    {"bytes=8-9,0-1", {{8, 2}, {0, 2}}},
    {"bytes=0-1,4-5,-1", {{0, 2}, {4, 2}, {9, 1}}},
    {"bytes=0-1,2-3", {{0, 4}}},
    {"bytes=2-3,0-1", {{0, 4}}},
    {"bytes=0-5,3-8", {{0, 9}}},
    {"bytes=0-,0-,0-,0-,0-,0-,0-,0-", {{0, 10}}},
    {"bytes=0-0,4-4,9-9,0-4", {{0, 5}, {9, 1}}},
    {"bytes=0-0,4-4,8-8,1-8", {{0, 9}}},
};

TEST(ByteRanges, are_fitted_into_what_there_is_and_no_byte_comes_twice) {
    for (const auto& [value, spans] : of_ten_bytes)
        EXPECT_EQ(spans_within(parse_byte_ranges(value).value(), 10), spans) << value;
}

TEST(ByteRanges, of_nothing_are_none) {
    for (const char* value : {"bytes=0-", "bytes=0-0", "bytes=-1"})
        EXPECT_EQ(spans_within(parse_byte_ranges(value).value(), 0), Spans()) << value;
}

}  // namespace
}  // namespace handover::http
