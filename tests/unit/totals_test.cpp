// SPDX-License-Identifier: MIT
#include "handover/totals.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <set>
#include <string_view>

namespace handover::test {
namespace {

using namespace std::chrono_literals;

TEST(DurationTotals, count_each_duration_once_in_the_class_of_the_next_bound) {
    std::array<Total, DurationTotals::size> places{};
    const DurationTotals totals(places);
    const auto last = DurationTotals::bounds.size();
    for (std::size_t i = 0; i < last; ++i) {
        totals.add(DurationTotals::bounds[i]);
        EXPECT_EQ(totals.count(i), i == 0 ? 1U : 2U) << "a bound belongs to what is below it";
        totals.add(DurationTotals::bounds[i] + 1ns);
        EXPECT_EQ(totals.count(i + 1), 1U);
    }
    EXPECT_EQ(totals.count(last), 1U);
    EXPECT_EQ(totals.count(), 2 * last);
}

TEST(DurationTotals, know_the_sum_to_the_nanosecond) {
    std::array<Total, DurationTotals::size> places{};
    const DurationTotals totals(places);
    totals.add(1ns);
    totals.add(24h);
    totals.add(0ns);
    EXPECT_EQ(totals.sum(), 24h + 1ns);
    EXPECT_EQ(totals.count(), 3U);
}

TEST(HandoverTotals, keep_all_kinds_outcomes_and_durations_apart) {
    std::array<Total, HandoverTotals::size> places{};
    const HandoverTotals totals(places);
    std::uint64_t count = 0;
    for (const auto kind : all_handover_kinds)
        for (const auto outcome : all_handover_outcomes) {
            ++count;
            for (std::uint64_t i = 0; i < count; ++i) totals.count(kind, outcome);
        }
    for (const auto& durations : {totals.reloads(), totals.restarts(), totals.drains()}) {
        EXPECT_EQ(durations.count(), 0U);
        for (const auto bound : DurationTotals::bounds) durations.add(bound);
        durations.add(1h);
        EXPECT_EQ(durations.count(), DurationTotals::classes);
    }
    count = 0;
    for (const auto kind : all_handover_kinds)
        for (const auto outcome : all_handover_outcomes)
            EXPECT_EQ(totals.count_of(kind, outcome), ++count) << to_string(kind);
    EXPECT_EQ(totals.reloads().sum(), totals.drains().sum());
}

TEST(HandoverTotals, have_a_word_for_each) {
    std::set<std::string_view> words;
    for (const auto kind : all_handover_kinds) words.insert(to_string(kind));
    for (const auto outcome : all_handover_outcomes) words.insert(to_string(outcome));
    EXPECT_EQ(words, (std::set<std::string_view>{"reload", "restart", "crash", "ok", "failed",
                                                 "rolled_back"}));
}

}  // namespace
}  // namespace handover::test
