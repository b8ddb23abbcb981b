// SPDX-License-Identifier: MIT
// take_inherited_fds() needs the descriptors from 3 on and the environment for itself: each test
// asks a process of its own.

#include "support/command_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace handover::test {
namespace {

using testing::HasSubstr;
using testing::Not;

/// child_program says what became of `items`, see its arrange().
std::string adopt(std::vector<std::string> items) {
    return output_of_child("adopt", std::move(items));
}

TEST(InheritedFds, are_none_without_the_variables) {
    EXPECT_EQ(adopt({"tcp"}), "open 0 1 2 3\nvariables\n") << "3 is somebody else's business";
}

TEST(InheritedFds, are_taken_with_their_names_and_kinds) {
    EXPECT_EQ(adopt({"tcp", "memory", "seqpacket", "file", "LISTEN_PID=self", "LISTEN_FDS=4",
                     "LISTEN_FDNAMES=http:ledger:channel:other"}),
              "3 http stream_listener cloexec\n"
              "4 ledger memory cloexec\n"
              "5 channel seqpacket cloexec\n"
              "6 other other cloexec\n"
              "open 0 1 2 3 4 5 6\nvariables\n");
}

TEST(InheritedFds, are_called_unknown_without_names) {
    EXPECT_THAT(adopt({"tcp", "LISTEN_PID=self", "LISTEN_FDS=1"}),
                HasSubstr("3 unknown stream_listener cloexec\n"));
}

TEST(InheritedFds, take_the_variables_out_of_the_environment) {
    EXPECT_THAT(adopt({"tcp", "LISTEN_PID=self", "LISTEN_FDS=1", "LISTEN_FDNAMES=http"}),
                testing::EndsWith("\nvariables\n"));
}

TEST(InheritedFds, leave_alone_what_was_not_announced) {
    EXPECT_EQ(adopt({"tcp", "memory", "LISTEN_PID=self", "LISTEN_FDS=1"}),
              "3 unknown stream_listener cloexec\nopen 0 1 2 3 4\nvariables\n");
}

TEST(InheritedFds, hold_each_socket_once) {
    EXPECT_EQ(adopt({"tcp", "same", "tcp", "LISTEN_PID=self", "LISTEN_FDS=3",
                     "LISTEN_FDNAMES=http:stored:admin"}),
              "3 http stream_listener cloexec\n"
              "5 admin stream_listener cloexec\n"
              "duplicate stored\n"
              "open 0 1 2 3 5\nvariables\n");
}

TEST(InheritedFds, name_the_descriptor_that_is_not_open_and_close_the_others) {
    const auto told = adopt({"tcp", "none", "tcp", "LISTEN_PID=self", "LISTEN_FDS=3",
                             "LISTEN_FDNAMES=http:admin:more"});
    EXPECT_THAT(told, HasSubstr("error 78 LISTEN_FDS=3 announces descriptor 4 ('admin'), but it "
                                "is not open: "));
    EXPECT_THAT(told, HasSubstr("open 0 1 2\n"));
}

TEST(InheritedFds, are_refused_when_meant_for_another_process) {
    const auto told = adopt({"tcp", "LISTEN_PID=1", "LISTEN_FDS=1"});
    EXPECT_THAT(told, HasSubstr("error 78 LISTEN_PID=1 means another process"));
    EXPECT_THAT(told, HasSubstr("open 0 1 2 3\n")) << "not ours, so not ours to close";
}

TEST(InheritedFds, are_refused_when_meant_for_an_earlier_process_of_our_pid) {
    // The kernel may be too old for pidfd ids (before 6.9); then it cannot be told.
    const auto told = adopt({"tcp", "LISTEN_PID=self", "LISTEN_PIDFDID=1", "LISTEN_FDS=1"});
    if (told.find("error") != std::string::npos) {
        EXPECT_THAT(told, HasSubstr("LISTEN_PIDFDID=1 means another process"));
    } else {
        EXPECT_THAT(told, HasSubstr("3 unknown stream_listener"));
    }
    EXPECT_THAT(told, Not(HasSubstr("open 0 1 2 3 4")));
}

}  // namespace
}  // namespace handover::test
