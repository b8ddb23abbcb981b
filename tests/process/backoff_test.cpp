// SPDX-License-Identifier: MIT
// A release that crashes again and again is started less and less often.
#include "handover/generation/backoff.h"

#include "handover/ledger/ledger.h"
#include "process/process_fixture.h"

namespace handover::test {
namespace {

class BackoffTest : public ProcessTest {
  protected:
    /// As the fd store gives back what the generation before left.
    [[nodiscard]] DaemonOptions with_ledger() const {
        return {.process = {.inherited = {{Ledger::fd_name, ledger_.fd()}}}};
    }

    Ledger ledger_;
};

TEST_F(BackoffTest, makes_a_start_after_many_crashes_wait) {
    ledger_.set_crashes(4);
    const auto before = std::chrono::steady_clock::now();
    Daemon daemon(directory_, with_ledger());
    EXPECT_GE(std::chrono::steady_clock::now() - before, backoff_after(4));
    EXPECT_NE(daemon.log().find("the last 4 generations crashed soon after the start: this one "
                                "waits 1 s before it serves"),
              std::string::npos)
        << daemon.log();
    EXPECT_EQ(daemon.ask().status, 200);
    EXPECT_EQ(ledger_.crashes(), 5U) << "one more, unless it lasts";
}

TEST_F(BackoffTest, can_be_stopped_while_it_waits) {
    ledger_.set_crashes(1'000);
    auto start = with_ledger();
    start.process.argv = command_line(directory_, start);
    ServerProcess waiting(start.process);
    (void)waiting.await_line("waits 5 s before it serves");
    ::kill(waiting.first_pid(), SIGTERM);
    EXPECT_EQ(await_end(waiting.first_pid()), 0);
}

TEST_F(BackoffTest, does_not_count_a_generation_that_was_stopped) {
    ledger_.set_crashes(2);
    const Daemon daemon(directory_, with_ledger());
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.await_end(), 0);
    EXPECT_EQ(ledger_.crashes(), 0U);
}

TEST_F(BackoffTest, does_not_count_a_generation_that_handed_over) {
    Daemon daemon(directory_, with_ledger());
    EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_TRUE(daemon.wait_for_state("serving"));
    EXPECT_EQ(ledger_.crashes(), 1U) << "that of the successor, which may still crash";
}

}  // namespace
}  // namespace handover::test
