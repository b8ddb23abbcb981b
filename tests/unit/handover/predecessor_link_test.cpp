// SPDX-License-Identifier: MIT
#include "handover/peer/predecessor_link.h"

#include "handover/error.h"
#include "support/open_descriptors.h"
#include "unit/handover/test_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/socket.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace handover::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Message hello_of(const std::string& generation, unsigned protocol = protocol_version) {
    auto hello = Message::of(Message::Type::hello);
    hello.fields = {{Message::Tag::generation, generation},
                    {Message::Tag::protocol, std::to_string(protocol)}};
    return hello;
}

class PredecessorLinkTest : public testing::Test {
  protected:
    PredecessorLinkTest() { connect(); }

    void connect() {
        auto [ours, theirs] = Channel::make_pair();
        predecessor_.emplace(std::move(ours));
        link_.emplace(
            loop_, std::move(theirs),
            PredecessorLink::Callbacks{.on_go = [this] { heard("go"); },
                                       .on_lost = [this] { heard("lost"); },
                                       .on_promoted = [this] { heard("promoted"); },
                                       .on_health_check = [this] { heard("health check"); },
                                       .on_ended = [this] { heard("ended"); }});
    }

    void heard(const std::string& what) {
        heard_.push_back(what);
        // Whatever else may come should come now.
        settle_.start_once(std::chrono::milliseconds(20));
    }

    void greet(unsigned protocol = protocol_version) {
        ASSERT_EQ(predecessor_->send(hello_of("7", protocol)), Channel::Sent::sent);
        link_->greet(hello_of("8"));
        Message message;
        ASSERT_EQ(predecessor_->receive(message), Channel::Received::message);
        ASSERT_EQ(message.type, Message::Type::hello);
        ASSERT_EQ(message.field(Message::Tag::generation), "8");
    }

    void expect_greeting_is_refused() {
        try {
            link_->greet(hello_of("8"));
            ADD_FAILURE() << "nothing thrown";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), Error::Kind::config);
            EXPECT_THAT(error.what(), HasSubstr("'channel' does not begin with a hello"));
        }
    }

    TestLoop loop_;
    Timer settle_{loop_, [this] { loop_.stop(); }};
    std::optional<Channel> predecessor_;
    std::optional<PredecessorLink> link_;
    std::vector<std::string> heard_;
};

TEST_F(PredecessorLinkTest, answers_a_hello_with_ours) {
    greet();
}

TEST_F(PredecessorLinkTest, refuses_a_channel_on_which_no_hello_waits) {
    expect_greeting_is_refused();
}

TEST_F(PredecessorLinkTest, refuses_a_channel_that_begins_with_something_else) {
    ASSERT_EQ(predecessor_->send(Message::of(Message::Type::go)), Channel::Sent::sent);
    expect_greeting_is_refused();
}

TEST_F(PredecessorLinkTest, refuses_a_channel_that_begins_with_garbage) {
    ASSERT_EQ(::send(predecessor_->fd(), "garbage", 7, MSG_NOSIGNAL), 7);
    expect_greeting_is_refused();
}

TEST_F(PredecessorLinkTest, refuses_a_channel_whose_other_end_is_gone) {
    predecessor_.reset();
    expect_greeting_is_refused();
}

TEST_F(PredecessorLinkTest, says_that_we_are_ready) {
    greet();
    link_->say_ready();
    Message message;
    ASSERT_EQ(predecessor_->receive(message), Channel::Received::message);
    EXPECT_EQ(message.type, Message::Type::ready);
}

TEST_F(PredecessorLinkTest, says_why_we_do_not_start) {
    link_->refuse("port 80: Permission denied");
    Message message;
    ASSERT_EQ(predecessor_->receive(message), Channel::Received::message);
    EXPECT_EQ(message.type, Message::Type::failed);
    EXPECT_EQ(message.field(Message::Tag::reason), "port 80: Permission denied");
}

TEST_F(PredecessorLinkTest, hears_go) {
    greet();
    ASSERT_EQ(predecessor_->send(Message::of(Message::Type::go)), Channel::Sent::sent);
    loop_.run_to_the_end();
    EXPECT_THAT(heard_, ElementsAre("go"));
}

TEST_F(PredecessorLinkTest, hears_go_once_and_nothing_after_it) {
    greet();
    ASSERT_EQ(predecessor_->send(Message::of(Message::Type::go)), Channel::Sent::sent);
    ASSERT_EQ(predecessor_->send(Message::of(Message::Type::go)), Channel::Sent::sent);
    predecessor_.reset();
    loop_.run_to_the_end();
    EXPECT_THAT(heard_, ElementsAre("go", "ended"));
}

TEST_F(PredecessorLinkTest, hears_that_the_predecessor_is_lost) {
    greet();
    predecessor_.reset();
    loop_.run_to_the_end();
    EXPECT_THAT(heard_, ElementsAre("lost"));
}

TEST_F(PredecessorLinkTest, hears_that_it_is_lost_when_our_ready_was_never_read) {
    greet();
    link_->say_ready();
    predecessor_.reset();
    loop_.run_to_the_end();
    EXPECT_THAT(heard_, ElementsAre("lost"));
}

TEST_F(PredecessorLinkTest, takes_a_broken_protocol_for_a_loss) {
    greet();
    ASSERT_EQ(::send(predecessor_->fd(), "garbage", 7, MSG_NOSIGNAL), 7);
    ASSERT_EQ(predecessor_->send(Message::of(Message::Type::go)), Channel::Sent::sent);
    loop_.run_to_the_end();
    EXPECT_THAT(heard_, ElementsAre("lost"));
}

TEST_F(PredecessorLinkTest, passes_over_messages_that_are_not_for_a_successor) {
    greet();
    for (const auto type : {Message::Type::hello, Message::Type::ready, Message::Type::failed})
        ASSERT_EQ(predecessor_->send(Message::of(type)), Channel::Sent::sent);
    ASSERT_EQ(predecessor_->send(Message::of(Message::Type::go)), Channel::Sent::sent);
    loop_.run_to_the_end();
    EXPECT_THAT(heard_, ElementsAre("go"));
}

// ---- probation

TEST_F(PredecessorLinkTest, hears_once_that_we_are_the_main_process) {
    greet();
    for (const auto type : {Message::Type::promoted, Message::Type::go, Message::Type::promoted,
                            Message::Type::promoted})
        ASSERT_EQ(predecessor_->send(Message::of(type)), Channel::Sent::sent);
    loop_.run_to_the_end();
    EXPECT_THAT(heard_, ElementsAre("go", "promoted")) << "before go it means nothing";
    EXPECT_TRUE(link_->promoted());
}

TEST_F(PredecessorLinkTest, takes_go_for_it_from_one_that_knows_nothing_of_probation) {
    greet(probation_version - 1);
    ASSERT_EQ(predecessor_->send(Message::of(Message::Type::go)), Channel::Sent::sent);
    loop_.run_to_the_end();
    EXPECT_THAT(heard_, ElementsAre("go", "promoted"));
}

TEST_F(PredecessorLinkTest, ends_when_all_has_arrived_and_we_are_the_main_process) {
    greet();
    for (const auto type : {Message::Type::go, Message::Type::end, Message::Type::promoted})
        ASSERT_EQ(predecessor_->send(Message::of(type)), Channel::Sent::sent);
    loop_.run_to_the_end();
    EXPECT_THAT(heard_, ElementsAre("go", "promoted", "ended"));
}

TEST_F(PredecessorLinkTest, ends_without_it_when_the_predecessor_dies) {
    greet();
    for (const auto type : {Message::Type::go, Message::Type::end})
        ASSERT_EQ(predecessor_->send(Message::of(type)), Channel::Sent::sent);
    predecessor_.reset();
    loop_.run_to_the_end();
    EXPECT_THAT(heard_, ElementsAre("go", "ended"));
    EXPECT_FALSE(link_->promoted());
}

TEST_F(PredecessorLinkTest, hears_that_it_is_asked_how_it_is) {
    greet();
    for (const auto type : {Message::Type::go, Message::Type::health_check})
        ASSERT_EQ(predecessor_->send(Message::of(type)), Channel::Sent::sent);
    loop_.run_to_the_end();
    EXPECT_THAT(heard_, ElementsAre("go", "health check"));
}

TEST_F(PredecessorLinkTest, says_what_the_successor_wants) {
    greet();
    link_->say(Message::Type::promote_me);
    Message message;
    ASSERT_EQ(predecessor_->receive(message), Channel::Received::message);
    EXPECT_EQ(message.type, Message::Type::promote_me);
}

TEST_F(PredecessorLinkTest, says_how_many_may_go_on_draining_to_those_who_understand_it) {
    for (const unsigned protocol : {probation_version - 1U, probation_version + 0U}) {
        connect();
        greet(protocol);
        link_->say_drain_quota(3);
        Message message;
        const auto received = predecessor_->receive(message);
        if (protocol < probation_version) {
            EXPECT_EQ(received, Channel::Received::nothing);
        } else {
            ASSERT_EQ(received, Channel::Received::message);
            EXPECT_EQ(message.type, Message::Type::drain_quota);
            EXPECT_EQ(message.number(Message::Tag::count), 3U);
        }
    }
}

TEST_F(PredecessorLinkTest, calls_nobody_when_it_is_gone) {
    greet();
    ASSERT_EQ(predecessor_->send(Message::of(Message::Type::go)), Channel::Sent::sent);
    const auto before = open_descriptors().size();
    link_.reset();
    EXPECT_EQ(open_descriptors().size(), before - 2)
        << "its end of the channel and the pidfd are closed";
    settle_.start_once(std::chrono::milliseconds(20));
    loop_.run_to_the_end();
    EXPECT_THAT(heard_, testing::IsEmpty());
}

}  // namespace
}  // namespace handover::test
