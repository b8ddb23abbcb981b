// SPDX-License-Identifier: MIT
#include "handover/generation/backoff.h"

#include <gtest/gtest.h>

#include <limits>

namespace handover::test {
namespace {

TEST(Backoff, grows_from_the_third_crash_on_and_ends_at_five_seconds) {
    const std::pair<std::uint64_t, int> expected_ms[] = {
        {0, 0},
        {1, 0},
        {2, 0},
        {3, 200},
        {4, 400},
        {5, 800},
        {6, 1'600},
        {7, 3'200},
        {8, 5'000},
        {1'000, 5'000},
        {std::numeric_limits<std::uint64_t>::max(), 5'000}};
    for (const auto& [crashes, wait_ms] : expected_ms)
        EXPECT_EQ(backoff_after(crashes), std::chrono::milliseconds(wait_ms)) << crashes;
}

}  // namespace
}  // namespace handover::test
