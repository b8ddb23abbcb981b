// SPDX-License-Identifier: MIT
#include "soak/walk.h"

#include <gtest/gtest.h>

#include <tuple>

namespace handover::test {
namespace {

using Steps = std::vector<std::tuple<std::size_t, unsigned, unsigned>>;

Steps first_steps(std::uint64_t seed) {
    Walk walk(seed, {1, 2, 3});
    Steps steps;
    for (int i = 0; i < 100; ++i) {
        const auto step = walk.next();
        steps.emplace_back(step.action, step.moment_ms, step.choice);
    }
    return steps;
}

TEST(Walk, is_the_same_from_the_same_seed) {
    EXPECT_EQ(first_steps(7), first_steps(7));
    EXPECT_NE(first_steps(7), first_steps(8));
}

TEST(Walk, takes_each_action_as_often_as_its_weight_says) {
    Walk walk(1, {1, 0, 3});
    std::vector<int> taken(3);
    for (int i = 0; i < 10'000; ++i) ++taken.at(walk.next().action);
    EXPECT_NEAR(taken[0], 2500, 200);
    EXPECT_EQ(taken[1], 0);
    EXPECT_NEAR(taken[2], 7500, 200);
}

}  // namespace
}  // namespace handover::test
