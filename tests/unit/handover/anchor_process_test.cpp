// SPDX-License-Identifier: MIT
// What a main process and its anchor owe each other while one hands over and the other signals.
#include "handover/generation/anchor_process.h"

#include "handover/ledger/ledger.h"
#include "support/processes.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <csignal>
#include <thread>

namespace handover::test {
namespace {

constexpr pid_t next = 4'194'304;

TEST(AnchorProcess, is_the_next_ones_when_the_anchor_has_sent_what_it_was_about_to_send) {
    Ledger ledger;
    ledger.set_anchor_pid(1);
    ledger.set_signalling(true);
    std::thread anchor([&] {
        EXPECT_TRUE(eventually([&] { return ledger.main_pid() == next; }));
        ledger.set_signalling(false);
    });
    AnchorProcess::set_main_process(ledger, next);
    EXPECT_FALSE(ledger.is_signalling());
    anchor.join();
}

TEST(AnchorProcess, does_not_wait_for_an_anchor_that_has_been_stopped) {
    Ledger ledger;
    ledger.set_anchor_pid(1);
    ledger.set_signalling(true);
    AnchorProcess::set_main_process(ledger, next);
    EXPECT_EQ(ledger.main_pid(), next);
}

TEST(AnchorProcess, gives_back_only_what_its_anchor_sent_to_the_main_process) {
    Ledger ledger;
    const pid_t parent = ::getppid();
    EXPECT_FALSE(AnchorProcess::returns_signal(ledger, 0, parent)) << "there is no anchor";
    ledger.set_anchor_pid(parent);
    ledger.set_main_pid(::getpid());
    EXPECT_FALSE(AnchorProcess::returns_signal(ledger, 0, parent)) << "it was for us";
    ledger.set_main_pid(next);
    EXPECT_TRUE(AnchorProcess::returns_signal(ledger, 0, parent));
    EXPECT_FALSE(AnchorProcess::returns_signal(ledger, 0, ::getpid())) << "of somebody else";
    EXPECT_FALSE(AnchorProcess::returns_signal(ledger, 0, 0)) << "of the kernel";
}

}  // namespace
}  // namespace handover::test
