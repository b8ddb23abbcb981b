// SPDX-License-Identifier: MIT
#include "handover/peer/successor_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace handover::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

TEST(SuccessorEnvironment, keeps_what_does_not_concern_it) {
    EXPECT_THAT(successor_environment({"PATH=/bin", "NOTIFY_SOCKET=/run/n", "WATCHDOG_USEC=3",
                                       "EMPTY=", "LISTENER=x", "not an assignment"},
                                      {}),
                ElementsAre("PATH=/bin", "NOTIFY_SOCKET=/run/n", "WATCHDOG_USEC=3",
                            "EMPTY=", "LISTENER=x", "not an assignment", "LISTEN_FDS=0",
                            "LISTEN_FDNAMES=", MatchesRegex("LISTEN_PID= +")));
}

TEST(SuccessorEnvironment, announces_the_passed_descriptors) {
    const auto environment = successor_environment({}, {{"http", 7}, {"admin", 9}, {"http", 8}});
    EXPECT_THAT(environment, ElementsAre("LISTEN_FDS=3", "LISTEN_FDNAMES=http:admin:http",
                                         MatchesRegex("LISTEN_PID= +")));
}

TEST(SuccessorEnvironment, forgets_what_was_announced_to_us) {
    const auto environment = successor_environment(
        {"LISTEN_FDS=5", "LISTEN_PID=1", "LISTEN_FDNAMES=a:b:c:d:e", "LISTEN_PIDFDID=77"},
        {{"http", 3}});
    EXPECT_THAT(environment,
                ElementsAre("LISTEN_FDS=1", "LISTEN_FDNAMES=http", MatchesRegex("LISTEN_PID= +")));
}

TEST(SuccessorEnvironment, leaves_room_for_every_pid_where_a_pid_was) {
    const auto environment =
        successor_environment({"WATCHDOG_PID=1", "SYSTEMD_EXEC_PID=1", "MAINPID=1"}, {});
    // 2^22 is the largest there is (proc(5), pid_max).
    EXPECT_THAT(environment, Contains(MatchesRegex("WATCHDOG_PID=       +")));
    EXPECT_THAT(environment, Contains(MatchesRegex("SYSTEMD_EXEC_PID=       +")));
    EXPECT_THAT(environment, Contains(MatchesRegex("LISTEN_PID=       +")));
    EXPECT_THAT(environment, Contains("MAINPID=1"));
}

TEST(SuccessorEnvironment, sets_no_watchdog_where_none_was) {
    EXPECT_THAT(successor_environment({}, {}), Not(Contains(StartsWith("WATCHDOG_PID"))));
    EXPECT_THAT(successor_environment({}, {}), Not(Contains(StartsWith("SYSTEMD_EXEC_PID"))));
}

}  // namespace
}  // namespace handover::test
