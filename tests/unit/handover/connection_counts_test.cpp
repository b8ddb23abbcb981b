// SPDX-License-Identifier: MIT
#include "handover/connection_counts.h"

#include <gtest/gtest.h>

namespace handover::test {
namespace {

ConnectionCounts counts_of(std::uint64_t opened, std::uint64_t moved, std::uint64_t by_client) {
    ConnectionCounts counts;
    counts.opened = opened;
    counts[CloseReason::moved] = moved;
    counts[CloseReason::closed_by_client] = by_client;
    return counts;
}

TEST(ConnectionCounts, holds_what_was_opened_and_has_not_ended) {
    EXPECT_EQ(counts_of(10, 3, 2).open(), 5U);
    EXPECT_EQ(ConnectionCounts().open(), 0U);
}

TEST(ConnectionCounts, adds_up) {
    auto sum = counts_of(10, 3, 2);
    sum += counts_of(5, 1, 0);
    EXPECT_EQ(sum, counts_of(15, 4, 2));
}

TEST(ConnectionCounts, counts_from_a_moment_on_what_was_held_then_and_what_came_later) {
    const auto before = counts_of(100, 0, 90);  // holds 10
    const auto now = counts_of(103, 8, 94);     // 3 came; 8 moved, 4 closed
    const auto since = now.since(before);
    EXPECT_EQ(since, counts_of(13, 8, 4));
    EXPECT_EQ(since.open(), now.open());
}

TEST(ConnectionCounts, is_a_sentence_that_adds_up) {
    EXPECT_EQ(counts_of(66, 64, 1).to_sentence(),
              "held 66 = 64 moved + 1 closed by client + 1 still there");
    EXPECT_EQ(ConnectionCounts().to_sentence(), "held 0");
}

TEST(ConnectionCounts, has_a_name_for_every_ending) {
    for (const CloseReason ending : all_close_reasons) EXPECT_FALSE(to_string(ending).empty());
}

}  // namespace
}  // namespace handover::test
