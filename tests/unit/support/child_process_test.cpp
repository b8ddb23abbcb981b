// SPDX-License-Identifier: MIT

#include "support/child_process.h"

#include "support/processes.h"

#include <gtest/gtest.h>

#include <csignal>
#include <system_error>

namespace handover::test {
namespace {

using std::chrono::milliseconds;

TEST(ChildProcess, collects_output_and_exit_status) {
    const auto finished = run_command({"sh", "-c", "echo out; echo err >&2; exit 3"}, timeout);
    EXPECT_EQ(finished.exit_status, 3);
    EXPECT_EQ(finished.out, "out\n");
    EXPECT_EQ(finished.err, "err\n");
}

TEST(ChildProcess, reports_a_death_by_signal_as_a_negative_number) {
    EXPECT_EQ(run_command({"sh", "-c", "kill -TERM $$"}, timeout).exit_status, -SIGTERM);
}

TEST(ChildProcess, names_a_program_that_is_not_there) {
    EXPECT_THROW(ChildProcess({"/nonexistent/program"}), std::system_error);
}

TEST(ChildProcess, kills_what_does_not_end_in_time) {
    EXPECT_EQ(run_command({"sleep", "1000"}, milliseconds(50)).exit_status, -SIGKILL);
}

TEST(ChildProcess, waits_for_a_line_and_passes_over_others) {
    ChildProcess child({"sh", "-c", "echo one; read answer; echo \"two $answer\""});
    EXPECT_FALSE(child.wait_for_line("two", milliseconds(20)));
    EXPECT_TRUE(child.write("yes\n"));
    EXPECT_EQ(child.wait_for_line("two", timeout), "two yes");
    EXPECT_FALSE(child.wait_for_line("three", timeout)) << "the output has ended";
}

TEST(ChildProcess, reads_more_than_a_pipe_holds) {
    const auto finished = run_command({"head", "-c", "300000", "/dev/zero"}, timeout);
    EXPECT_EQ(finished.out.size(), 300000U);
}

TEST(ChildProcess, adds_to_the_environment) {
    const auto finished =
        run_command({"sh", "-c", "echo $GREETING"}, timeout, {{"GREETING", "hello"}});
    EXPECT_EQ(finished.out, "hello\n");
}

TEST(ChildProcess, kills_the_child_with_the_object) {
    pid_t pid = 0;
    {
        const ChildProcess child({"sleep", "1000"});
        pid = child.pid();
    }
    EXPECT_EQ(::kill(pid, 0), -1) << "it has been reaped, so its number is free";
}

}  // namespace
}  // namespace handover::test
