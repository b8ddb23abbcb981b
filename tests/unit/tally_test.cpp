// SPDX-License-Identifier: MIT
#include "handover/tally.h"

#include <gtest/gtest.h>

namespace handover::test {
namespace {

Tally tally_of(std::uint64_t opened, std::uint64_t moved, std::uint64_t by_client) {
    Tally tally;
    tally.opened = opened;
    tally[Ending::moved] = moved;
    tally[Ending::closed_by_client] = by_client;
    return tally;
}

TEST(Tally, holds_what_was_opened_and_has_not_ended) {
    EXPECT_EQ(tally_of(10, 3, 2).held(), 5U);
    EXPECT_EQ(Tally().held(), 0U);
}

TEST(Tally, adds_up) {
    auto sum = tally_of(10, 3, 2);
    sum += tally_of(5, 1, 0);
    EXPECT_EQ(sum, tally_of(15, 4, 2));
}

TEST(Tally, counts_from_a_moment_on_what_was_held_then_and_what_came_later) {
    const auto before = tally_of(100, 0, 90);  // holds 10
    const auto now = tally_of(103, 8, 94);     // 3 came; 8 moved, 4 closed
    const auto since = now.since(before);
    EXPECT_EQ(since, tally_of(13, 8, 4));
    EXPECT_EQ(since.held(), now.held());
}

TEST(Tally, is_a_sentence_that_adds_up) {
    EXPECT_EQ(tally_of(66, 64, 1).to_sentence(),
              "held 66 = 64 moved + 1 closed by client + 1 still there");
    EXPECT_EQ(Tally().to_sentence(), "held 0");
}

TEST(Tally, has_a_name_for_every_ending) {
    for (const Ending ending : all_endings) EXPECT_FALSE(to_string(ending).empty());
}

}  // namespace
}  // namespace handover::test
