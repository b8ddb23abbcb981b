// SPDX-License-Identifier: MIT
#include "handoverd/client/status_screen.h"

#include "support/contains.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

namespace handoverd {
namespace {

using handover::test::contains;
using nlohmann::json;

constexpr std::int64_t now_ms = 1'800'000'000'000;

json seconds_ago(std::int64_t age_s) {
    return now_ms - age_s * 1000;
}

json generation(int number, const std::string& role, std::int64_t started_seconds_ago) {
    return {{"number", number},
            {"pid", 80'000 + number},
            {"version", "0.1.0"},
            {"role", role},
            {"started_at_ms", seconds_ago(started_seconds_ago)},
            {"ready_at_ms", seconds_ago(started_seconds_ago)},
            {"ended_at_ms", nullptr},
            {"drain_ends_at_ms", nullptr},
            {"from", number - 1},
            {"by", "reload"},
            {"connections", 0},
            {"account", nullptr}};
}

json ended(int number, std::int64_t age_s, const std::string& account) {
    auto result = generation(number, "ended", 9000);
    result["ended_at_ms"] = seconds_ago(age_s);
    result["account"] = account;
    return result;
}

json handover(int from, const std::string& result, int duration_ms, const std::string& reason) {
    return {{"id", from},
            {"at_ms", seconds_ago(12)},
            {"kind", "reload"},
            {"result", result},
            {"from", from},
            {"to", from + 1},
            {"duration_ms", duration_ms},
            {"reason", reason}};
}

/// A service in the middle of its third handover, of which the second has failed.
json sample() {
    auto serving = generation(3, "probation", 12);
    serving["connections"] = 9120;
    auto draining = generation(2, "draining", 7300);
    draining["connections"] = 880;
    draining["drain_ends_at_ms"] = seconds_ago(-8);
    draining["opened"] = 10'012;
    draining["endings"] = {{"moved", 9120}, {"closed_by_client", 12}};
    return {{"generation", 3},
            {"pid", 80'003},
            {"state", "serving on probation"},
            {"version", "0.1.0"},
            {"build_id", "0123456789abcdef0123456789abcdef01234567"},
            {"connections", 9120},
            {"fd_store_entries", 3},
            {"now_ms", now_ms},
            {"listeners",
             {{{"name", "http"},
               {"endpoint", "[::]:9999"},
               {"inherited", true},
               {"source", "socket unit"}},
              {{"name", "admin"},
               {"endpoint", "unix:/run/handoverd/admin.sock"},
               {"inherited", true},
               {"source", "predecessor"}}}},
            {"arrivals", {{"from", 2}, {"by", "reload"}, {"adopted", 9120}}},
            {"generations",
             {serving, draining, ended(1, 7290, "held 66 = 64 moved + 2 closed by client")}},
            {"history",
             {handover(2, "ok", 31, ""),
              handover(2, "failed", 1250, "handover failed: the successor died of SIGSEGV"),
              {{"at_ms", seconds_ago(9000)},
               {"kind", "start"},
               {"result", "ok"},
               {"from", nullptr},
               {"to", 1},
               {"duration_ms", nullptr},
               {"reason", ""}}}},
            {"last_handover", ""}};
}

std::string screen_of(const json& status, const OutputStyle& output = {}) {
    return status_screen(status, output, now_ms);
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

TEST(StatusScreen, shows_generations_listeners_and_handovers_in_80_columns) {
    const auto screen = screen_of(sample(), {.columns = 80});
    EXPECT_EQ(screen, R"(generation 3 (pid 80003), serving on probation
handoverd 0.1.0 (build 0123456789ab), 3 descriptors in the fd store

GENERATION    PID  VERSION  ROLE                 AGE  CONNECTIONS
         3  80003  0.1.0    probation           12 s        9,120
            took over 9,120 connections of generation 2 by reload
         2  80002  0.1.0    draining, 8 s left   2 h          880
            held 10012 = 9120 moved + 12 closed by client + 880 still there
         1  80001  0.1.0    ended 2 h ago        2 h            -
            held 66 = 64 moved + 2 closed by client

LISTENER  ADDRESS                         FROM
http      [::]:9999                       socket unit
admin     unix:/run/handoverd/admin.sock  predecessor

HANDOVER  KIND    RESULT   TOOK      WHEN
2 -> 3    reload  ok      31 ms  12 s ago
2 -> 3    reload  failed  1.2 s  12 s ago
          handover failed: the successor died of SIGSEGV
- -> 1    start   ok          -   2 h ago
)");
    for (const auto& line : lines_of(screen)) EXPECT_LE(columns_of(line), 80U) << line;
}

TEST(StatusScreen, cuts_what_is_too_long_for_the_terminal_and_nothing_in_a_pipe) {
    auto status = sample();
    const std::string version(60, 'v');
    const std::string reason(500, 'r');
    status["version"] = status["generations"][0]["version"] = version;
    status["listeners"][1]["endpoint"] = "unix:/" + std::string(100, 'p');
    status["history"][1]["reason"] = reason;
    for (const std::size_t columns : {20, 40, 80, 132})
        for (const auto& line : lines_of(screen_of(status, {.columns = columns})))
            EXPECT_LE(columns_of(line), columns) << line;
    const auto wide = screen_of(status);
    EXPECT_TRUE(contains(wide, version)) << wide;
    EXPECT_TRUE(contains(wide, reason)) << wide;
    EXPECT_TRUE(contains(wide, std::string(100, 'p'))) << wide;
    EXPECT_FALSE(contains(wide, "\u2026")) << wide;
    const auto narrow = screen_of(status, {.columns = 80});
    EXPECT_TRUE(contains(narrow, "draining, 8 s left")) << "other columns stay whole\n" << narrow;
}

TEST(StatusScreen, has_colours_only_where_they_are_shown) {
    const auto plain = screen_of(sample(), {.columns = 80});
    EXPECT_FALSE(contains(plain, "\x1b")) << plain;
    auto coloured = screen_of(sample(), {.columns = 80, .coloured = true});
    EXPECT_TRUE(contains(coloured, "\x1b[33mdraining, 8 s left\x1b[0m")) << coloured;
    EXPECT_TRUE(contains(coloured, "\x1b[32mok\x1b[0m")) << coloured;
    EXPECT_TRUE(contains(coloured, "\x1b[31mfailed\x1b[0m")) << coloured;
    for (auto begin = coloured.find('\x1b'); begin != std::string::npos;
         begin = coloured.find('\x1b'))
        coloured.erase(begin, coloured.find('m', begin) + 1 - begin);
    EXPECT_EQ(coloured, plain) << "they are all that is different";
}

TEST(StatusScreen, counts_down_and_ages_with_the_clock_that_it_is_given) {
    const auto later = status_screen(sample(), {}, now_ms + 5000);
    EXPECT_TRUE(contains(later, "draining, 3 s left")) << later;
    EXPECT_TRUE(contains(later, " 17 s ago\n")) << later;
    EXPECT_TRUE(contains(status_screen(sample(), {}, now_ms + 60'000), "draining, 0 s left"));
}

TEST(StatusScreen, has_the_time_of_whoever_answered) {
    EXPECT_EQ(now_of(sample()), now_ms);
    EXPECT_GT(now_of(json::object()), std::int64_t{1'700'000'000'000}) << "else ours";
}

TEST(StatusScreen, shows_all_generations_that_live_and_the_last_that_ended) {
    auto status = sample();
    status["generations"] = json::array();
    for (int number = 30; number > 24; --number)
        status["generations"].push_back(generation(number, "draining", 5));
    for (int number = 24; number > 14; --number)
        status["generations"].push_back(ended(number, 5, "held 1 = 1 moved"));
    const auto screen = screen_of(status);
    EXPECT_TRUE(contains(screen, "\n        25  ")) << screen;
    EXPECT_TRUE(contains(screen, "\n        22  ")) << screen;
    EXPECT_FALSE(contains(screen, "\n        21  ")) << screen;
}

TEST(StatusScreen, shows_the_last_five_handovers) {
    auto status = sample();
    status["history"] = json::array();
    for (int from = 30; from > 20; --from) status["history"].push_back(handover(from, "ok", 1, ""));
    const auto screen = screen_of(status);
    EXPECT_TRUE(contains(screen, "\n26 -> 27")) << screen;
    EXPECT_FALSE(contains(screen, "\n25 -> 26")) << screen;
}

TEST(StatusScreen, does_not_know_what_became_of_the_connections_of_a_generation_that_crashed) {
    auto status = sample();
    auto& crashed = status["generations"][1];
    crashed["role"] = "crashed";
    crashed["ended_at_ms"] = seconds_ago(60);
    const auto screen = screen_of(status, {.coloured = true});
    EXPECT_TRUE(contains(screen, "\x1b[31mcrashed 1 min ago\x1b[0m")) << screen;
    EXPECT_FALSE(contains(screen, "still there")) << screen;
}

TEST(StatusScreen, shows_connections_that_a_restart_could_not_take_along) {
    auto status = sample();
    status["arrivals"] = {
        {"from", 2}, {"by", "restart"}, {"adopted", 1}, {"unclaimed", 2}, {"unreadable", 3}};
    const auto screen = screen_of(status);
    EXPECT_TRUE(contains(screen,
                         "took over 1 connection of generation 2 by restart, 2 closed as their "
                         "listener is not configured any more, 3 messages could not be read\n"))
        << screen;
}

/// What release 0.1.0 answers.
json old_status() {
    return {{"generation", 2},
            {"pid", 812},
            {"state", "serving"},
            {"ready", true},
            {"version", "0.1.0"},
            {"build_id", "0123456789abcdef0123456789abcdef01234567"},
            {"connections", 65},
            {"fd_store_entries", 0},
            {"listeners",
             {{{"name", "http"}, {"endpoint", "[::]:80"}, {"inherited", true}},
              {{"name", "admin"}, {"endpoint", "unix:@admin"}, {"inherited", false}}}},
            {"arrivals",
             {{"from", 1},
              {"by", "reload"},
              {"adopted", 64},
              {"account", "held 66 = 64 moved + 2 closed by client"}}},
            {"last_handover", ""}};
}

TEST(StatusScreen, of_an_older_release_shows_what_that_one_says) {
    EXPECT_EQ(screen_of(old_status(), {.columns = 80}), R"(generation 2 (pid 812), serving
handoverd 0.1.0 (build 0123456789ab)

GENERATION  PID  VERSION  ROLE     AGE  CONNECTIONS
         2  812  0.1.0    serving    -           65
            took over 64 connections of generation 1 by reload
            generation 1 held 66 = 64 moved + 2 closed by client

LISTENER  ADDRESS      FROM
http      [::]:80      inherited
admin     unix:@admin  bound

last reload: none by this generation
)");
    auto failed = old_status();
    failed["last_handover"] = "handover failed: no disk";
    EXPECT_TRUE(screen_of(failed).ends_with("\nlast reload: handover failed: no disk\n"));
}

TEST(StatusScreen, is_printable_whatever_the_answer_says) {
    const std::string hostile = "\x1b[2J\n\u009b31m\u202e";
    const auto expect_harmless = [](const json& status) {
        auto screen = screen_of(status);
        std::erase(screen, '\n');
        for (const char c : screen) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << screen;
    };
    for (const auto& status : {sample(), old_status()}) {
        const auto flat = status.flatten();
        for (const auto& [path, value] : flat.items()) {
            SCOPED_TRACE(path);
            auto spoiled = flat;
            spoiled[path] = hostile;
            expect_harmless(spoiled.unflatten());
        }
    }
}

TEST(StatusScreen, is_there_whatever_the_types_of_the_answer_are) {
    const std::vector<json> strange = {json(),
                                       true,
                                       -1,
                                       1e300,
                                       "text",
                                       UINT64_MAX,
                                       json::array({1, "x"}),
                                       json::object(),
                                       json::object({{"a", "b"}})};
    const auto whole = sample();
    const auto flat = whole.flatten();
    for (const auto& [path, ignored] : flat.items())
        for (const auto& value : strange) {
            auto status = whole;
            status[json::json_pointer(path)] = value;
            EXPECT_FALSE(screen_of(status, {.columns = 80}).empty()) << path;
        }
    for (const auto& [field, ignored] : whole.items())
        for (const auto& value : strange) {
            auto status = whole;
            status[field] = value;
            EXPECT_FALSE(screen_of(status, {.columns = 80}).empty()) << field;
        }
    EXPECT_FALSE(screen_of(json::object()).empty());
}

}  // namespace
}  // namespace handoverd
