// SPDX-License-Identifier: MIT
#include "bench/bars.h"

#include "bench/format.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace handover::bench {
namespace {

constexpr std::size_t idle_connections = 10'000;

Results results_of(const std::string& measurement, const std::string& server,
                   const std::string& quantity, const std::vector<double>& rounds) {
    Results results({server});
    for (const double value : rounds) results.add(measurement, server, {{quantity, value}});
    return results;
}

Verdict only_verdict(const Results& results) {
    const auto verdicts = judge(results, idle_connections);
    EXPECT_EQ(verdicts.size(), 1U);
    return verdicts.empty() ? Verdict{} : verdicts.front();
}

TEST(Bars, one_reconnect_in_one_round_is_one_too_many) {
    EXPECT_TRUE(
        only_verdict(results_of("reload", "handoverd", "rate: reconnects", {0, 0, 0})).passed);
    EXPECT_FALSE(
        only_verdict(results_of("reload", "handoverd", "rate: reconnects", {0, 1, 0})).passed);
}

TEST(Bars, one_slow_round_is_forgiven) {
    EXPECT_TRUE(
        only_verdict(results_of("restart", "handoverd", "full: worst ms", {90, 900, 99})).passed);
    EXPECT_FALSE(
        only_verdict(results_of("restart", "handoverd", "full: worst ms", {90, 900, 101})).passed);
}

TEST(Bars, every_idle_connection_has_to_be_answered) {
    constexpr auto all = static_cast<double>(idle_connections);
    const auto answered = [](double count) {
        return results_of("idle", "handoverd", "answered after both", {count});
    };
    EXPECT_TRUE(only_verdict(answered(all)).passed);
    EXPECT_FALSE(only_verdict(answered(all - 1)).passed);
}

TEST(Bars, what_was_not_measured_is_not_judged) {
    EXPECT_TRUE(judge(Results({"handoverd"}), idle_connections).empty());
    EXPECT_TRUE(judge(results_of("reload", control, "rate: failed", {5}), 1).empty());
}

TEST(Bars, a_peer_that_is_a_goal_is_no_bar) {
    Results results({"handoverd", "nginx, HUP"});
    results.add("throughput", "handoverd", {{"requests per CPU-second", 100}});
    results.add("throughput", "nginx, HUP", {{"requests per CPU-second", 200}});
    const auto verdict = only_verdict(results);
    EXPECT_EQ(verdict.kind, Verdict::Kind::goal);
    EXPECT_FALSE(verdict.passed);
}

TEST(Control, that_loses_nothing_is_reported) {
    const auto sentence = [](double at_rate, double full) {
        Results results({control});
        results.add("reload", control, {{"rate: failed", at_rate}, {"full: failed", full}});
        return describe_control(results);
    };
    EXPECT_NE(sentence(0, 0).find("did not bite"), std::string::npos);
    EXPECT_EQ(sentence(0, 3).find("did not bite"), std::string::npos);
    EXPECT_EQ(describe_control(Results({"handoverd"})), "");
}

TEST(Format, groups_digits_and_shows_the_spread) {
    EXPECT_EQ(number(999, 0), "999");
    EXPECT_EQ(number(1234567.86, 1), "1 234 567.9");
    EXPECT_EQ(number(-1000, 0), "-1 000");
    EXPECT_EQ(cell({2, 1, 3}, 0), "2 [1..3]");
    EXPECT_EQ(cell({2, 1.9, 2.1}, 0), "2");
}

TEST(Results, have_the_median_of_an_even_number_of_rounds) {
    const auto spread = spread_of({4, 1, 3, 2});
    EXPECT_EQ(spread.median, 2.5);
    EXPECT_EQ(spread.min, 1);
    EXPECT_EQ(spread.max, 4);
}

}  // namespace
}  // namespace handover::bench
