// SPDX-License-Identifier: MIT
// The wall clock may be set at any time. Nothing that we wait for depends on it.

#include "process/process_fixture.h"

#include <chrono>
#include <set>
#include <sstream>

namespace handover::test {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

/// "2026-03-01T17": where log lines begin with different ones, the clock has stepped.
std::set<std::string> hours_in(const std::string& log) {
    constexpr std::size_t length = 13;
    std::set<std::string> hours;
    std::istringstream lines(log);
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with("20")) hours.insert(line.substr(0, length));
    return hours;
}

class WallClock : public ProcessTest {};

TEST_F(WallClock, that_steps_by_hours_delays_and_ends_nothing) {
    auto start = with_options({"--idle-timeout", "20s", "--drain-timeout", "20s"});
    start.program = stepping_clock_program();
    start.probation = "500ms";
    Daemon daemon(directory_, start);
    Load keeping(daemon.address(), {"--keep-alive", "--connections", "4", "--rate", "200"});
    Load fresh(daemon.address(), {"--connections", "4", "--rate", "200"});
    const auto began = steady_clock::now();
    for (int i = 0; i < 3; ++i) {
        RawClient slow(daemon.address(), timeout);
        slow.send("GET /hello?sleep=700ms HTTP/1.1\r\nHost: test\r\n\r\n");
        const auto told = daemon.reload();
        EXPECT_EQ(told.status, 0) << told.err;
        EXPECT_EQ(answer_in(slow.receive()).body, "hello world\n");
        EXPECT_TRUE(daemon.wait_for_only({daemon.pid()})) << "the probation does not end";
        keeping.await_answers(10);
    }
    EXPECT_LT(steady_clock::now() - began, seconds(15));
    expect_nothing_lost(keeping);
    expect_nothing_lost(fresh);
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.await_end(), 0);
    EXPECT_GT(hours_in(daemon.log()).size(), 1U) << "it did not step:\n" << daemon.log();
}

}  // namespace
}  // namespace handover::test
