// SPDX-License-Identifier: MIT
#include "handover/counters.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <set>
#include <string_view>

namespace handover::test {
namespace {

using namespace std::chrono_literals;

TEST(DurationHistogram, count_each_duration_once_in_the_bucket_of_the_next_bound) {
    std::array<Counter, DurationHistogram::size> places{};
    const DurationHistogram counters(places);
    const auto last = DurationHistogram::bounds.size();
    for (std::size_t i = 0; i < last; ++i) {
        counters.add(DurationHistogram::bounds[i]);
        EXPECT_EQ(counters.count(i), i == 0 ? 1U : 2U) << "a bound belongs to what is below it";
        counters.add(DurationHistogram::bounds[i] + 1ns);
        EXPECT_EQ(counters.count(i + 1), 1U);
    }
    EXPECT_EQ(counters.count(last), 1U);
    EXPECT_EQ(counters.count(), 2 * last);
}

TEST(DurationHistogram, know_the_sum_to_the_nanosecond) {
    std::array<Counter, DurationHistogram::size> places{};
    const DurationHistogram counters(places);
    counters.add(1ns);
    counters.add(24h);
    counters.add(0ns);
    EXPECT_EQ(counters.sum(), 24h + 1ns);
    EXPECT_EQ(counters.count(), 3U);
}

TEST(HandoverCounters, keep_all_kinds_outcomes_and_durations_apart) {
    std::array<Counter, HandoverCounters::size> places{};
    const HandoverCounters counters(places);
    std::uint64_t count = 0;
    for (const auto kind : all_handover_kinds)
        for (const auto outcome : all_handover_outcomes) {
            ++count;
            for (std::uint64_t i = 0; i < count; ++i) counters.count(kind, outcome);
        }
    for (const auto& durations : {counters.reloads(), counters.restarts(), counters.drains()}) {
        EXPECT_EQ(durations.count(), 0U);
        for (const auto bound : DurationHistogram::bounds) durations.add(bound);
        durations.add(1h);
        EXPECT_EQ(durations.count(), DurationHistogram::buckets);
    }
    count = 0;
    for (const auto kind : all_handover_kinds)
        for (const auto outcome : all_handover_outcomes)
            EXPECT_EQ(counters.count_of(kind, outcome), ++count) << to_string(kind);
    EXPECT_EQ(counters.reloads().sum(), counters.drains().sum());
}

TEST(HandoverCounters, have_a_word_for_each) {
    std::set<std::string_view> words;
    for (const auto kind : all_handover_kinds) words.insert(to_string(kind));
    for (const auto outcome : all_handover_outcomes) words.insert(to_string(outcome));
    EXPECT_EQ(words, (std::set<std::string_view>{"reload", "restart", "crash", "ok", "failed",
                                                 "rolled_back"}));
}

}  // namespace
}  // namespace handover::test
