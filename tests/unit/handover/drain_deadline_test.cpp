// SPDX-License-Identifier: MIT
#include "handover/generation/drain_deadline.h"

#include "unit/handover/test_loop.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>

namespace handover::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds very_long{3'600'000};

class DrainDeadlineTest : public testing::Test {
  protected:
    DrainDeadline make(DrainDeadline::Limits limits) {
        limits.draining_max = 4;
        return {loop_, limits, durations_, [this] {
                    ++passed_;
                    loop_.stop();
                }};
    }

    TestLoop loop_;
    std::array<Counter, DurationHistogram::size> counters_{};
    const DurationHistogram durations_{counters_};
    int passed_ = 0;
};

TEST_F(DrainDeadlineTest, does_not_run_before_it_is_started) {
    const auto deadline = make({.timeout = milliseconds(1)});
    EXPECT_FALSE(deadline.ends());
    EXPECT_EQ(deadline.left(), milliseconds(0));
    EXPECT_EQ(deadline.why_cut(), "");
}

TEST_F(DrainDeadlineTest, passes_when_the_timeout_is_over) {
    auto deadline = make({.timeout = milliseconds(20)});
    const auto begun = steady_clock::now();
    deadline.start();
    loop_.run_to_the_end();
    EXPECT_EQ(passed_, 1);
    EXPECT_GE(steady_clock::now() - begun, milliseconds(20));
}

TEST_F(DrainDeadlineTest, is_not_put_off_by_a_second_start) {
    auto deadline = make({.timeout = very_long});
    deadline.start();
    const auto ends = deadline.ends();
    ASSERT_TRUE(ends);
    EXPECT_GT(deadline.left(), very_long - timeout);
    deadline.start();
    EXPECT_EQ(deadline.ends(), ends);
}

TEST_F(DrainDeadlineTest, is_shortened_to_the_last_grace_and_only_once) {
    auto deadline = make({.timeout = very_long, .last_grace = milliseconds(20)});
    deadline.start();
    EXPECT_TRUE(deadline.shorten());
    EXPECT_LE(deadline.left(), milliseconds(20));
    EXPECT_FALSE(deadline.shorten());
    loop_.run_to_the_end();
    EXPECT_EQ(passed_, 1);
}

TEST_F(DrainDeadlineTest, is_not_put_off_by_a_last_grace_that_is_longer_than_what_is_left) {
    auto deadline = make({.timeout = milliseconds(20), .last_grace = very_long});
    deadline.start();
    const auto ends = deadline.ends();
    EXPECT_TRUE(deadline.shorten());
    EXPECT_EQ(deadline.ends(), ends);
    loop_.run_to_the_end();
    EXPECT_EQ(passed_, 1);
}

TEST_F(DrainDeadlineTest, does_not_pass_once_it_is_stopped) {
    auto deadline = make({.timeout = milliseconds(1)});
    Timer later(loop_, [this] { loop_.stop(); });
    deadline.start();
    deadline.stop();
    EXPECT_FALSE(deadline.ends());
    later.start_once(milliseconds(20));
    loop_.run_to_the_end();
    EXPECT_EQ(passed_, 0);
}

TEST_F(DrainDeadlineTest, counts_each_drain_once_however_it_ends) {
    auto deadline = make({.timeout = very_long});
    deadline.note_drained();
    EXPECT_EQ(durations_.count(), 0U) << "none had begun";
    deadline.start();
    deadline.note_drained();
    deadline.cut(0);
    EXPECT_EQ(durations_.count(), 1U) << "it had drained before the deadline passed";
    deadline.start();
    deadline.cut(1);
    EXPECT_EQ(durations_.count(), 2U);
    deadline.start();
    deadline.stop();
    deadline.note_drained();
    EXPECT_EQ(durations_.count(), 2U) << "this one was taken back";
}

TEST_F(DrainDeadlineTest, stands_when_nothing_is_left_to_drain) {
    auto deadline = make({.timeout = milliseconds(20)});
    deadline.start();
    deadline.note_drained();
    EXPECT_TRUE(deadline.ends());
    loop_.run_to_the_end();
    EXPECT_EQ(passed_, 1);
}

TEST_F(DrainDeadlineTest, starts_anew_after_a_cut) {
    auto deadline = make({.timeout = very_long});
    deadline.start();
    const auto first = deadline.ends();
    deadline.cut(0);
    EXPECT_FALSE(deadline.ends());
    deadline.start();
    EXPECT_GT(deadline.ends(), first);
}

TEST_F(DrainDeadlineTest, says_nothing_of_a_cut_that_closed_no_connection) {
    auto deadline = make({.timeout = very_long});
    deadline.start();
    deadline.cut(0);
    EXPECT_EQ(deadline.cut_connections(), 0U);
    EXPECT_EQ(deadline.why_cut(), "");
}

TEST_F(DrainDeadlineTest, says_that_the_timeout_cut_connections) {
    auto deadline = make({.timeout = milliseconds(20'000)});
    deadline.start();
    deadline.cut(2);
    EXPECT_EQ(deadline.cut_connections(), 2U);
    EXPECT_EQ(deadline.why_cut(),
              "2 connections had not finished within the drain timeout of 20 s");
}

TEST_F(DrainDeadlineTest, says_that_too_many_generations_would_have_been_draining) {
    auto deadline = make({.timeout = very_long, .last_grace = very_long});
    deadline.start();
    ASSERT_TRUE(deadline.shorten());
    deadline.cut(1);
    EXPECT_EQ(deadline.why_cut(),
              "1 connection had not finished when more than 4 generations would have been "
              "draining");
}

}  // namespace
}  // namespace handover::test
