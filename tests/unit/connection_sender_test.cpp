// SPDX-License-Identifier: MIT
#include "handover/connection_sender.h"

#include "handover/connection_batch.h"
#include "unit/connections.h"
#include "unit/open_descriptors.h"
#include "unit/test_loop.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace handover::test {
namespace {

class ConnectionSenderTest : public testing::Test {
  protected:
    /// Everything that arrives at the other end, now.
    std::vector<ParkedConnection> receive(const Channel& channel) {
        std::vector<ParkedConnection> all;
        Message message;
        while (channel.receive(message) == Channel::Received::message) {
            if (message.type == Message::Type::end) {
                end_ = tally_of(message);
                continue;
            }
            auto connections = unpack(std::move(message));
            if (!connections) {
                ADD_FAILURE() << "a message that cannot be read";
                break;
            }
            for (auto& connection : *connections) all.push_back(std::move(connection));
        }
        return all;
    }

    ConnectionSender& waiting_sender() {
        return sender_.emplace(
            loop_, ConnectionSender::Callbacks{[this] { ++all_sent_; },
                                               [this](const std::string& why) { failure_ = why; }});
    }

    void run_posted() {
        loop_.post([this] { loop_.stop(); });
        loop_.run_to_the_end();
    }

    TestLoop loop_;
    std::optional<ConnectionSender> sender_;
    int all_sent_ = 0;
    std::string failure_;
    std::optional<Tally> end_;
};

TEST_F(ConnectionSenderTest, sends_what_is_put_in) {
    auto [ours, theirs] = Channel::make_pair();
    auto& sender = waiting_sender();
    sender.continue_with(std::move(ours));
    TestConnection connection("http", "GET");
    sender.inlet()(std::move(connection.parked));
    EXPECT_EQ(sender.unsent(), 1U);
    run_posted();
    EXPECT_EQ(sender.unsent(), 0U);
    EXPECT_GT(all_sent_, 0);
    const auto received = receive(theirs);
    ASSERT_EQ(received.size(), 1U);
    EXPECT_EQ(received[0].listener, "http");
    EXPECT_EQ(received[0].unread, "GET");
    EXPECT_TRUE(is_connected_to(received[0].fd, connection.client));
}

TEST_F(ConnectionSenderTest, keeps_no_copy_of_what_it_sent) {
    auto [ours, theirs] = Channel::make_pair();
    auto& sender = waiting_sender();
    sender.continue_with(std::move(ours));
    TestConnection connection;
    sender.inlet()(std::move(connection.parked));
    run_posted();
    receive(theirs);  // and closes it
    EXPECT_TRUE(is_closed(connection.client));
}

TEST_F(ConnectionSenderTest, collects_until_it_has_a_channel) {
    auto& sender = waiting_sender();
    for (int i = 0; i < 3; ++i) sender.inlet()(std::move(TestConnection().parked));
    run_posted();
    EXPECT_EQ(sender.unsent(), 3U);
    EXPECT_EQ(all_sent_, 0);
    auto [ours, theirs] = Channel::make_pair();
    sender.continue_with(std::move(ours));
    EXPECT_EQ(receive(theirs).size(), 3U);
    EXPECT_EQ(all_sent_, 1);
}

TEST_F(ConnectionSenderTest, takes_connections_from_any_thread) {
    auto [ours, theirs] = Channel::make_pair();
    auto& sender = waiting_sender();
    sender.continue_with(std::move(ours));
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([inlet = sender.inlet()] {
            for (int j = 0; j < 50; ++j) inlet(std::move(TestConnection().parked));
        });
    for (auto& thread : threads) thread.join();
    run_posted();
    EXPECT_EQ(receive(theirs).size(), 200U);
}

TEST_F(ConnectionSenderTest, waits_for_a_reader_to_make_room) {
    auto [ours, theirs] = Channel::make_pair();
    auto& sender = waiting_sender();
    sender.continue_with(std::move(ours));
    constexpr std::size_t count = 40;
    std::vector<TestConnection> connections;
    for (std::size_t i = 0; i < count; ++i)
        connections.emplace_back("http", std::string(30'000, 'x'));
    for (auto& connection : connections) sender.inlet()(std::move(connection.parked));
    run_posted();
    ASSERT_GT(sender.unsent(), 0U) << "a buffer has an end";
    EXPECT_EQ(failure_, "");
    std::size_t received = 0;
    loop_.watch(theirs.fd(), [&] {
        received += receive(theirs).size();
        if (received == count) loop_.stop();
    });
    loop_.run_to_the_end();
    EXPECT_EQ(received, count);
    EXPECT_EQ(sender.unsent(), 0U);
    loop_.forget(theirs.fd());
}

TEST_F(ConnectionSenderTest, asks_for_another_channel_where_nobody_reads) {
    std::vector<Channel> full;
    ConnectionSender* self = nullptr;
    const auto next = [&] {
        auto [ours, theirs] = Channel::make_pair();
        full.push_back(std::move(theirs));
        self->continue_with(std::move(ours));
    };
    ConnectionSender sender(
        loop_, {[this] { ++all_sent_; }, [this](const std::string& why) { failure_ = why; },
                close_politely, next});
    self = &sender;
    next();
    constexpr std::size_t count = 40;
    for (std::size_t i = 0; i < count; ++i) {
        auto connection = TestConnection("http", std::string(30'000, 'x'));
        sender.inlet()(std::move(connection.parked));
    }
    run_posted();
    Tally tally;
    tally.opened = count;
    sender.finish(tally);
    EXPECT_GT(full.size(), 1U);
    EXPECT_EQ(failure_, "");
    EXPECT_EQ(sender.unsent(), 0U);
    std::size_t received = 0;
    for (const auto& channel : full) received += receive(channel).size();
    EXPECT_EQ(received, count);
    ASSERT_TRUE(end_);
    EXPECT_EQ(end_->opened, count);
}

TEST_F(ConnectionSenderTest, gives_back_what_was_not_sent_when_the_reader_is_gone) {
    auto& sender = waiting_sender();
    TestConnection first("http", "a");
    TestConnection second("admin", "b");
    sender.inlet()(std::move(first.parked));
    sender.inlet()(std::move(second.parked));
    {
        auto [ours, theirs] = Channel::make_pair();
        sender.continue_with(std::move(ours));
        EXPECT_EQ(failure_, "") << "nothing had been taken out of the inbox yet";
        receive(theirs);
    }
    TestConnection third("http", "c");
    sender.inlet()(std::move(third.parked));
    run_posted();
    EXPECT_EQ(failure_, "the other end of the channel is gone");
    const auto back = sender.take_back();
    ASSERT_EQ(back.size(), 1U);
    EXPECT_EQ(back[0].unread, "c");
    EXPECT_TRUE(is_connected_to(back[0].fd, third.client));
    EXPECT_EQ(sender.unsent(), 0U);
}

TEST_F(ConnectionSenderTest, says_the_end_after_everything_else) {
    auto [ours, theirs] = Channel::make_pair();
    auto& sender = waiting_sender();
    sender.inlet()(std::move(TestConnection().parked));
    Tally tally;
    tally.opened = 1;
    tally[Ending::moved] = 1;
    sender.finish(tally);
    EXPECT_EQ(all_sent_, 0);
    sender.continue_with(std::move(ours));
    EXPECT_EQ(all_sent_, 1);
    EXPECT_EQ(receive(theirs).size(), 1U);
    EXPECT_EQ(end_, tally);
}

TEST_F(ConnectionSenderTest, closes_politely_what_no_message_could_carry_and_goes_on) {
    auto [ours, theirs] = Channel::make_pair();
    auto& sender = waiting_sender();
    sender.continue_with(std::move(ours));
    TestConnection large("http", std::string(200'000, 'x'));
    sender.inlet()(std::move(large.parked));
    sender.inlet()(std::move(TestConnection().parked));
    run_posted();
    EXPECT_TRUE(is_closed(large.client));
    EXPECT_EQ(receive(theirs).size(), 1U);
}

TEST_F(ConnectionSenderTest, closes_what_comes_after_its_end) {
    const auto inlet = waiting_sender().inlet();
    sender_.reset();
    TestConnection late;
    inlet(std::move(late.parked));
    EXPECT_TRUE(is_closed(late.client));
}

}  // namespace
}  // namespace handover::test
