// SPDX-License-Identifier: MIT
#include "handoverd/client/number_format.h"

#include <gtest/gtest.h>

namespace handoverd {
namespace {

TEST(Figures, of_many_digits_are_in_groups_of_three) {
    EXPECT_EQ(grouped(0), "0");
    EXPECT_EQ(grouped(999), "999");
    EXPECT_EQ(grouped(9120), "9,120");
    EXPECT_EQ(grouped(123456), "123,456");
    EXPECT_EQ(grouped(1234567), "1,234,567");
    EXPECT_EQ(grouped(-123), "-123");
    EXPECT_EQ(grouped(-1234), "-1,234");
}

TEST(Figures, of_durations_are_as_exact_as_is_of_use) {
    EXPECT_EQ(duration_in_words(0), "0 ms");
    EXPECT_EQ(duration_in_words(999), "999 ms");
    EXPECT_EQ(duration_in_words(1'250), "1.2 s");
    EXPECT_EQ(duration_in_words(9'999), "9.9 s");
    EXPECT_EQ(duration_in_words(48'900), "48 s");
    EXPECT_EQ(duration_in_words(200'000), "3 min 20 s");
    EXPECT_EQ(duration_in_words(3'600'000 + 720'000), "1 h 12 min");
}

TEST(Figures, of_ages_have_one_unit) {
    EXPECT_EQ(age_in_words(999), "0 s");
    EXPECT_EQ(age_in_words(59'999), "59 s");
    EXPECT_EQ(age_in_words(60'000), "1 min");
    EXPECT_EQ(age_in_words(3'600'000), "1 h");
    EXPECT_EQ(age_in_words(std::int64_t{47} * 3'600'000), "47 h");
    EXPECT_EQ(age_in_words(std::int64_t{48} * 3'600'000), "2 d");
}

TEST(Figures, are_not_negative_where_two_clocks_disagree) {
    EXPECT_EQ(duration_in_words(-5), "0 ms");
    EXPECT_EQ(age_in_words(-5), "0 s");
}

}  // namespace
}  // namespace handoverd
