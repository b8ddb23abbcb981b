// SPDX-License-Identifier: MIT
// InheritedState::discover() needs the descriptors from 3 on and the environment for itself: each
// test asks a process of its own.

#include "handover/listeners/inherited_state.h"

#include "support/command_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace handover::test {
namespace {

using testing::HasSubstr;
using testing::Not;

/// child_program says what it discovers when it is given `items`, see its arrange().
std::string discover(std::vector<std::string> items) {
    return "\n" + output_of_child("discover", std::move(items));
}

TEST(InheritedState, is_nothing_special_when_nothing_was_given) {
    const auto told = discover({});
    EXPECT_THAT(told, HasSubstr("\nexecutable " CHILD_PROGRAM "\n"));
    EXPECT_THAT(told, HasSubstr("\nargument discover\n"));
    EXPECT_THAT(told, Not(HasSubstr("\nledger")));
    EXPECT_THAT(told, Not(HasSubstr("\npredecessor")));
    EXPECT_THAT(told, Not(HasSubstr("\nwarning")));
    EXPECT_THAT(told, HasSubstr("\nopen 0 1 2\n"));
}

TEST(InheritedState, tells_listeners_ledger_and_predecessor_apart_by_name_in_any_order) {
    const auto told = discover({"channel", "tcp", "ledger", "LISTEN_PID=self", "LISTEN_FDS=3",
                                "LISTEN_FDNAMES=channel:http:ledger"});
    EXPECT_THAT(told, HasSubstr("\npredecessor 3\n"));
    EXPECT_THAT(told, HasSubstr("\n4 http stream_listener cloexec\n"));
    EXPECT_THAT(told, HasSubstr("\nledger 41\n"));
    EXPECT_THAT(told, Not(HasSubstr("\nwarning")));
    EXPECT_THAT(told, HasSubstr("\nvariables\n"));
}

TEST(InheritedState, tells_channels_of_the_fd_store_from_the_one_of_a_predecessor) {
    const auto told = discover({"channel-stored", "channel", "channel-stored", "LISTEN_PID=self",
                                "LISTEN_FDS=3", "LISTEN_FDNAMES=channel:channel:channel"});
    EXPECT_THAT(told, HasSubstr("\nstored channels 2\n"));
    EXPECT_THAT(told, HasSubstr("\npredecessor 4\n"));
    EXPECT_THAT(told, Not(HasSubstr("\nwarning")));
}

TEST(InheritedState, closes_a_channel_that_means_nothing_to_it_and_goes_on) {
    for (const std::string kind : {"datagram", "seqpacket", "channel-nonsense"}) {
        const auto told =
            discover({kind, "LISTEN_PID=self", "LISTEN_FDS=1", "LISTEN_FDNAMES=channel"});
        EXPECT_THAT(told, Not(HasSubstr("\npredecessor"))) << kind;
        EXPECT_THAT(told, HasSubstr("\nwarning an inherited 'channel'")) << kind;
        EXPECT_THAT(told, HasSubstr("\nunknown channels")) << kind;
        EXPECT_THAT(told, HasSubstr("\nopen 0 1 2\n")) << kind;
    }
}

TEST(InheritedState, raises_the_limit_of_descriptors) {
    const auto told = discover({});
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    const auto expected = std::min<rlim_t>(limit.rlim_max, 1U << 20U);
    EXPECT_THAT(told, HasSubstr("\nlimit " + std::to_string(expected) + "\n"));
}

TEST(InheritedState, names_the_ledger_that_it_cannot_read) {
    const auto told =
        discover({"memory", "LISTEN_PID=self", "LISTEN_FDS=1", "LISTEN_FDNAMES=ledger"});
    EXPECT_THAT(told, Not(HasSubstr("\nledger")));
    EXPECT_THAT(told, HasSubstr("\nwarning an inherited 'ledger' is a memory file that this "
                                "version cannot read: closed\n"));
    EXPECT_THAT(told, HasSubstr("\nopen 0 1 2\n")) << "and closes it";
}

TEST(InheritedState, says_that_there_was_a_ledger_that_should_go) {
    const auto told =
        discover({"memory", "LISTEN_PID=self", "LISTEN_FDS=1", "LISTEN_FDNAMES=ledger"});
    EXPECT_THAT(told, HasSubstr("\nstale ledgers\n"));
    EXPECT_THAT(discover({"ledger", "LISTEN_PID=self", "LISTEN_FDS=1", "LISTEN_FDNAMES=ledger"}),
                Not(HasSubstr("\nstale ledgers\n")));
}

// As a listener, a second ledger would be a stranger, and FDSTOREREMOVE=1 would take both away.
TEST(InheritedState, reads_the_latest_ledger_that_it_can_in_any_order) {
    for (const auto& [one, other, latest] :
         {std::tuple{"ledger", "memory", "41"}, std::tuple{"memory", "ledger", "41"},
          std::tuple{"ledger", "newer-ledger", "42"}, std::tuple{"newer-ledger", "ledger", "42"}}) {
        const auto told = discover(
            {one, other, "LISTEN_PID=self", "LISTEN_FDS=2", "LISTEN_FDNAMES=ledger:ledger"});
        EXPECT_THAT(told, HasSubstr("\nledger " + std::string(latest) + "\n"));
        EXPECT_THAT(told, HasSubstr("\nstale ledgers\n"));
        EXPECT_THAT(told, Not(HasSubstr(" ledger memory "))) << "no listener";
    }
}

TEST(InheritedState, passes_on_the_names_of_duplicates) {
    EXPECT_THAT(
        discover({"tcp", "same", "LISTEN_PID=self", "LISTEN_FDS=2", "LISTEN_FDNAMES=http:stored"}),
        HasSubstr("\nduplicate stored\n"));
}

TEST(InheritedState, holds_back_the_signals_that_ask_for_something) {
    const auto told = discover({});
    for (const int number : {SIGHUP, SIGUSR1, SIGUSR2})
        EXPECT_THAT(told, HasSubstr("\nblocked " + std::to_string(number) + "\n"));
    for (const int number : {SIGTERM, SIGINT})
        EXPECT_THAT(told, Not(HasSubstr("\nblocked " + std::to_string(number) + "\n")))
            << "ending has to work before there is a loop";
    EXPECT_THAT(told, HasSubstr("\nusr1 free\n")) << "the successor gets the mask from before";
}

TEST(InheritedState, tells_a_predecessor_why_it_does_not_start) {
    auto [predecessor, ours] = Channel::make_pair();
    InheritedState inheritance;
    inheritance.predecessor.emplace(std::move(ours));
    inheritance.refuse("no such option");
    Message message;
    ASSERT_EQ(predecessor.receive(message), Channel::Received::message);
    EXPECT_EQ(message.type, Message::Type::failed);
    EXPECT_EQ(message.field(Message::Tag::reason), "no such option");
}

TEST(InheritedState, tells_nobody_where_there_is_no_predecessor) {
    const InheritedState inheritance;
    inheritance.refuse("no such option");
}

}  // namespace
}  // namespace handover::test
