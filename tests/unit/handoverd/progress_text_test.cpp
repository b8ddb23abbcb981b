// SPDX-License-Identifier: MIT
#include "handoverd/client/progress_text.h"

#include <gtest/gtest.h>

#include <string>

namespace handoverd {
namespace {

using nlohmann::json;

/// A successor in this role, and generation 3 before it in that one.
json reloading(const std::string& role, const std::string& role_before, int moved, int held) {
    const json successor = {{"number", 4},
                            {"role", role},
                            {"from", 3},
                            {"connections", moved},
                            {"started_at_ms", 100'000}};
    const json before = {{"number", 3},
                         {"role", role_before},
                         {"from", 2},
                         {"connections", held},
                         {"drain_ends_at_ms", 120'000},
                         {"endings", {{"moved", moved}, {"closed_by_client", 7}}}};
    return {{"generation", 4}, {"generations", {successor, before}}};
}

TEST(ProgressOfReload, begins_with_whoever_is_asked) {
    const json serving = {{"number", 3}, {"role", "serving"}, {"from", 2}};
    const json status = {{"generations", json::array({serving})}};
    EXPECT_EQ(progress_text(status, 0), "generation 3 is asked to hand over");
}

TEST(ProgressOfReload, says_that_a_successor_is_started_before_it_says_so_itself) {
    const json serving = {{"number", 3}, {"role", "serving"}, {"from", 2}};
    const json attempt = {{"from", 3}, {"result", "running"}, {"at_ms", 100'000}};
    const json status = {{"generations", {serving}}, {"history", {attempt}}};
    EXPECT_EQ(progress_text(status, 102'000), "generation 3 starts its successor, 2 s");
}

TEST(ProgressOfReload, ends_with_the_last_connection_of_the_generation_before) {
    EXPECT_FALSE(is_settled(reloading("probation", "serving", 0, 10), 3)) << "not yet asked";
    EXPECT_FALSE(is_settled(reloading("probation", "draining", 9, 1), 3));
    for (const auto* role : {"draining", "ended", "crashed"})
        EXPECT_EQ(is_settled(reloading("serving", role, 10, 0), 3), true) << role;
    EXPECT_TRUE(is_settled(reloading("serving", "ended", 10, 0), 2)) << "forgotten";
    for (const auto* result : {"failed", "rolled_back"}) {
        const json serving = {{"number", 3}, {"role", "serving"}};
        const json attempt = {{"from", 3}, {"result", result}};
        EXPECT_TRUE(is_settled({{"generations", {serving}}, {"history", {attempt}}}, 3));
    }
    auto status = reloading("serving", "ended", 10, 0);
    status["generations"][1]["account"] = "held 10 = 10 moved";
    EXPECT_EQ(drain_result(status, 3), "generation 3 drained: held 10 = 10 moved");
}

TEST(ProgressOfReload, says_for_how_long_the_successor_has_been_starting) {
    EXPECT_EQ(progress_text(reloading("starting", "serving", 0, 10), 103'500),
              "generation 4 is starting, 3 s");
}

TEST(ProgressOfReload, counts_the_connections_that_have_moved_down_to_the_deadline) {
    EXPECT_EQ(progress_text(reloading("probation", "draining", 9120, 880), 108'000),
              "generation 4 is ready, on probation; "
              "generation 3 moved 9,120 of 10,000 connections, 12 s left");
    EXPECT_EQ(progress_text(reloading("serving", "draining", 9999, 1), 119'000),
              "generation 4 is ready; generation 3 moved 9,999 of 10,000 connections, 1 s left");
}

TEST(ProgressOfReload, says_when_the_generation_before_has_drained) {
    for (const auto* role : {"draining", "ended"})
        EXPECT_EQ(progress_text(reloading("probation", role, 10'000, 0), 108'000),
                  "generation 4 is ready, on probation; generation 3 drained");
}

TEST(ProgressOfReload, says_that_the_generation_before_crashed) {
    for (const int held : {9, 0})
        EXPECT_EQ(progress_text(reloading("probation", "crashed", 1, held), 108'000),
                  "generation 4 is ready, on probation; generation 3 crashed");
}

TEST(ProgressOfReload, needs_no_more_than_an_older_release_says) {
    const json status = {{"generation", 4}, {"pid", 812}, {"state", "serving on probation"}};
    EXPECT_EQ(progress_text(status, 0), "generation 4 is ready, on probation");
    EXPECT_EQ(progress_text({{"generation", 3}, {"state", "serving"}}, 0),
              "generation 3 is asked to hand over");
}

TEST(ProgressOfReload, is_one_line_whatever_the_answer_is) {
    const json hostile = {{"generations",
                           {{{"number", "\u001b[2J"}, {"role", "probation"}, {"from", "x"}},
                            {{"number", "x"}, {"role", "\n\u001b[2J"}, {"connections", 1}}}}};
    EXPECT_EQ(progress_text(hostile, 0),
              "generation 0 is ready, on probation; generation 0 \\x0a\\x1b[2J");
    EXPECT_EQ(progress_text(json::object(), 0), "generation 0 is asked to hand over");
}

}  // namespace
}  // namespace handoverd
