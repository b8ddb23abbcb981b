// SPDX-License-Identifier: MIT
#include "handover/connections/connection_export.h"

#include "handover/connections/connection_message.h"
#include "support/fake_service_manager.h"
#include "support/scoped_environment.h"
#include "unit/handover/connections.h"
#include "unit/handover/fake_service.h"
#include "unit/handover/test_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace handover::test {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr milliseconds grace{500};

/// A generation with one service that holds a few connections, each of which the test lets go.
class ConnectionExportTest : public testing::Test {
  protected:
    ConnectionExportTest() { group_.add(web_, {{"http", Endpoint::parse("127.0.0.1:0")}}); }

    void hold(std::size_t count) { web_.counted.opened += count; }

    /// What arrives at the other end.
    void read(const Channel& channel) {
        Message message;
        while (channel.receive(message) == Channel::Received::message) {
            if (message.type == Message::Type::end) end_ = handover::counts_of(message);
            if (message.type != Message::Type::connections) continue;
            auto connections = unpack(std::move(message));
            ASSERT_TRUE(connections);
            for (auto& connection : *connections) arrived_.push_back(std::move(connection));
        }
    }

    /// Gives it away to a successor who does not read it: the message in its channel.
    std::vector<Message> give_unread(TestConnection& one, const Channel& theirs) {
        web_.give_away(std::move(one.parked));
        run_posted();
        std::vector<Message> unread(1);
        EXPECT_EQ(theirs.receive(unread[0]), Channel::Received::message);
        return unread;
    }

    void run_posted() {
        loop_.post([this] { loop_.stop(); });
        loop_.run_to_the_end();
    }
    void run_until_done() { loop_.run_to_the_end(); }
    void run_until_calls(std::size_t count) {
        loop_.run_until([&] { return web_.calls.size() >= count; });
    }

    ConnectionExport& exporter() {
        if (!export_)
            export_.emplace(
                loop_, group_, *manager_,
                ConnectionExport::Callbacks{
                    .done =
                        [this] {
                            ++done_;
                            loop_.stop();
                        },
                    .warn = [this](const std::string& text) { warnings_.push_back(text); }});
        return *export_;
    }

    /// From here on there is a service manager with a store of that size.
    void start_manager(std::size_t fd_store_max) {
        fake_ = std::make_unique<FakeServiceManager>(fd_store_max);
        notify_.emplace("NOTIFY_SOCKET", fake_->address());
        manager_.emplace();
    }

    Message hello() {
        auto message = Message::of(Message::Type::hello);
        message.fields = {{Message::Tag::generation, "3"}};
        return message;
    }

    TestLoop loop_;
    FakeService web_;
    ServiceGroup group_{loop_};
    std::unique_ptr<FakeServiceManager> fake_;
    std::optional<ScopedEnvironment> notify_;
    std::optional<ServiceManager> manager_{ServiceManager()};
    std::optional<ConnectionExport> export_;
    int done_ = 0;
    std::vector<std::string> warnings_;
    std::vector<ParkedConnection> arrived_;
    std::optional<ConnectionCounts> end_;
};

// ---- to a successor

TEST_F(ConnectionExportTest, move_to_a_successor_and_are_accounted_for) {
    hold(3);
    auto [ours, theirs] = Channel::make_pair();
    exporter().move_to(std::move(ours), grace);
    EXPECT_THAT(web_.calls, ElementsAre("give 500"));
    TestConnection one("http", "GE");
    TestConnection two;
    web_.give_away(std::move(one.parked));
    web_.give_away(std::move(two.parked));
    ++web_.counted[CloseReason::closed_by_client];
    web_.drained();
    run_until_done();
    EXPECT_EQ(done_, 1);
    read(theirs);
    ASSERT_EQ(arrived_.size(), 2U);
    EXPECT_EQ(arrived_[0].unread, "GE");
    EXPECT_TRUE(is_connected_to(arrived_[1].fd, two.client));
    EXPECT_EQ(exporter().counts().to_sentence(), "held 3 = 2 moved + 1 closed by client");
    EXPECT_EQ(end_, exporter().counts()) << "the successor knows it, too";
    EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(ConnectionExportTest, are_not_done_as_long_as_some_may_still_arrive) {
    auto [ours, theirs] = Channel::make_pair();
    exporter().move_to(std::move(ours), grace);
    exporter().expect_imports(true);
    web_.drained();
    run_posted();
    EXPECT_EQ(done_, 0);
    TestConnection late;
    ++web_.counted.opened;  // the service adopts it
    exporter().expect_imports(false);
    run_posted();
    EXPECT_EQ(done_, 0) << "a worker of the service has it";
    web_.give_away(std::move(late.parked));
    web_.drained();
    run_until_done();
    read(theirs);
    EXPECT_EQ(arrived_.size(), 1U);
    EXPECT_EQ(exporter().counts().to_sentence(), "held 1 = 1 moved");
}

TEST_F(ConnectionExportTest, go_back_to_the_services_when_the_successor_is_gone) {
    hold(2);
    {
        auto [ours, theirs] = Channel::make_pair();
        exporter().move_to(std::move(ours), grace);
    }
    TestConnection one;
    web_.give_away(std::move(one.parked));
    run_posted();
    EXPECT_THAT(web_.calls, ElementsAre("give 500", "start", "adopt http ''", "start"))
        << "as long as they may be recalled, no response announces a close";
    EXPECT_TRUE(is_connected_to(web_.adopted[0].fd, one.client));
    EXPECT_THAT(warnings_, ElementsAre(HasSubstr("1 connection cannot be moved: ")));
    EXPECT_EQ(exporter().counts().open(), 2U) << "nothing has been counted twice";
    exporter().settle();
    EXPECT_EQ(web_.calls.back(), "drain 500") << "and now nobody else will have them";
    web_.counted[CloseReason::drained] += 2;
    web_.drained();
    run_until_done();
    EXPECT_EQ(exporter().counts().to_sentence(), "held 2 = 2 drained");
}

TEST_F(ConnectionExportTest, that_come_back_to_a_service_that_was_drained_are_waited_for) {
    hold(1);
    {
        auto [ours, theirs] = Channel::make_pair();
        exporter().move_to(std::move(ours), grace);
    }
    web_.give_away(std::move(TestConnection().parked));
    web_.drains_at_once = true;  // it has given all away
    run_posted();
    ASSERT_EQ(web_.adopted.size(), 1U);
    run_posted();
    EXPECT_EQ(done_, 0);
}

// ---- back from a successor that died on probation

TEST_F(ConnectionExportTest, are_recalled_whether_sent_and_never_read_or_not_sent) {
    hold(4);
    auto [ours, theirs] = Channel::make_pair();
    exporter().move_to(std::move(ours), grace);
    TestConnection read_by_it;
    TestConnection never_read("http", "GE");
    TestConnection not_sent;
    web_.give_away(std::move(read_by_it.parked));
    run_posted();
    read(theirs);
    web_.give_away(std::move(never_read.parked));
    run_posted();
    web_.give_away(std::move(not_sent.parked));
    std::vector<Message> unread(1);
    ASSERT_EQ(theirs.receive(unread[0]), Channel::Received::message);

    EXPECT_EQ(exporter().recall(std::move(unread)), 1U) << "the one that it had read";
    ASSERT_EQ(web_.adopted.size(), 2U);
    EXPECT_TRUE(is_connected_to(web_.adopted[0].fd, never_read.client));
    EXPECT_EQ(web_.adopted[0].unread, "GE");
    EXPECT_TRUE(is_connected_to(web_.adopted[1].fd, not_sent.client));
    EXPECT_EQ(web_.counted.open(), 3U);
}

TEST_F(ConnectionExportTest, leave_as_if_for_the_first_time_after_they_were_recalled) {
    hold(2);
    auto [ours, theirs] = Channel::make_pair();
    exporter().move_to(std::move(ours), grace);
    web_.give_away(std::move(TestConnection().parked));
    web_.drained();
    run_until_done();
    EXPECT_EQ(exporter().recall({}), 1U);

    auto [ours_again, theirs_again] = Channel::make_pair();
    exporter().move_to(std::move(ours_again), grace);
    TestConnection other;
    web_.give_away(std::move(other.parked));
    web_.drained();
    run_until_done();
    EXPECT_EQ(done_, 2);
    read(theirs_again);
    EXPECT_EQ(arrived_.size(), 1U);
    EXPECT_EQ(exporter().counts().to_sentence(), "held 1 = 1 moved");
}

TEST_F(ConnectionExportTest, that_a_stopping_successor_did_not_read_go_where_the_others_go) {
    hold(1);
    auto [ours, theirs] = Channel::make_pair();
    exporter().move_to(std::move(ours), grace);
    TestConnection one;
    auto unread = give_unread(one, theirs);
    exporter().keep(std::move(unread));
    ASSERT_EQ(web_.adopted.size(), 1U);
    EXPECT_EQ(exporter().counts().open(), 1U) << "it has not been counted twice";
    EXPECT_EQ(exporter().counts()[CloseReason::moved], 0U);
    exporter().drain(milliseconds(100));
    EXPECT_EQ(web_.calls.back(), "drain 100");
}

TEST_F(ConnectionExportTest, are_served_without_a_close_until_the_store_takes_them) {
    start_manager(8);
    hold(1);
    auto [ours, theirs] = Channel::make_pair();
    exporter().move_to(std::move(ours), grace);
    TestConnection one;
    auto unread = give_unread(one, theirs);
    exporter().store(hello(), grace);
    exporter().keep(std::move(unread));  // the same restart has ended the successor
    exporter().settle();
    EXPECT_THAT(web_.calls, ElementsAre("give 500", "start", "adopt http ''", "start"));
    run_until_calls(5);
    EXPECT_EQ(web_.calls.back(), "give 500");
    web_.give_away(std::move(web_.adopted[0]));
    web_.drained();
    run_until_done();
    read(Channel(fake_->stored("channel")));
    EXPECT_EQ(arrived_.size(), 1U);
    EXPECT_EQ(exporter().counts().to_sentence(), "held 1 = 1 moved");
}

TEST_F(ConnectionExportTest, are_done_again_when_somebody_asks_after_they_were_done) {
    web_.drains_at_once = true;
    auto [ours, theirs] = Channel::make_pair();
    exporter().move_to(std::move(ours), grace);
    run_until_done();
    exporter().drain(milliseconds(100));
    run_until_done();
    EXPECT_EQ(done_, 2);
    exporter().store(hello(), grace);
    run_until_done();
    EXPECT_EQ(done_, 3);
}

TEST_F(ConnectionExportTest, are_cut_at_the_deadline_wherever_they_are) {
    hold(3);
    auto [ours, theirs] = Channel::make_pair();
    exporter().move_to(std::move(ours), grace);
    TestConnection moved;
    web_.give_away(std::move(moved.parked));
    run_posted();
    TestConnection waiting;
    web_.give_away(std::move(waiting.parked));  // and nobody sends it any more
    EXPECT_EQ(exporter().cut(), 2U);
    EXPECT_TRUE(is_closed(waiting.client));
    EXPECT_EQ(exporter().counts().to_sentence(), "held 3 = 1 moved + 2 cut at deadline");
    read(theirs);
    EXPECT_EQ(end_, exporter().counts());
}

TEST_F(ConnectionExportTest, that_nobody_takes_are_drained) {
    hold(1);
    exporter().drain(grace);
    EXPECT_THAT(web_.calls, ElementsAre("drain 500"));
    exporter().drain(milliseconds(100));
    EXPECT_THAT(web_.calls, ElementsAre("drain 500", "drain 100"));
    ++web_.counted[CloseReason::drained];
    web_.drained();
    run_until_done();
    EXPECT_EQ(done_, 1);
}

TEST_F(ConnectionExportTest, go_on_moving_when_asked_to_hurry) {
    hold(1);
    auto [ours, theirs] = Channel::make_pair();
    exporter().move_to(std::move(ours), grace);
    exporter().drain(milliseconds(100));
    EXPECT_THAT(web_.calls, ElementsAre("give 500"));
}

// ---- into the fd store

TEST_F(ConnectionExportTest, are_stored_for_the_generation_after_a_restart) {
    start_manager(8);
    hold(2);
    exporter().store(hello(), grace);
    EXPECT_THAT(web_.calls, IsEmpty()) << "they go on until the store has taken a channel";
    run_until_calls(1);
    EXPECT_THAT(web_.calls, ElementsAre("give 500"));
    for (int i = 0; i < 2; ++i) web_.give_away(std::move(TestConnection().parked));
    web_.drained();
    run_until_done();
    EXPECT_THAT(fake_->stored_names(), ElementsAre("channel")) << "however many they are";
    read(Channel(fake_->stored("channel")));
    EXPECT_EQ(arrived_.size(), 2U);
    EXPECT_EQ(end_, exporter().counts());
    EXPECT_EQ(exporter().counts().to_sentence(), "held 2 = 2 moved");
}

TEST_F(ConnectionExportTest, fill_one_channel_after_the_other) {
    start_manager(64);
    constexpr std::size_t count = 40;
    hold(count);
    exporter().store(hello(), grace);
    run_until_calls(1);
    for (std::size_t i = 0; i < count; ++i) {
        TestConnection one("http", std::string(30'000, 'x'));
        web_.give_away(std::move(one.parked));
    }
    web_.drained();
    run_until_done();
    EXPECT_GT(fake_->stored_names().size(), 1U);
    while (!fake_->stored_names().empty()) {
        read(Channel(fake_->stored("channel")));
        fake_->drop_stored("channel");
    }
    EXPECT_EQ(arrived_.size(), count);
    EXPECT_EQ(end_, exporter().counts());
    EXPECT_EQ(exporter().counts()[CloseReason::moved], count);
}

TEST_F(ConnectionExportTest, are_closed_politely_where_the_store_is_full) {
    start_manager(0);
    hold(1);
    exporter().store(hello(), grace);
    run_until_calls(1);
    EXPECT_THAT(web_.calls, ElementsAre("drain 500"));
    EXPECT_THAT(warnings_, ElementsAre(HasSubstr("FileDescriptorStoreMax=")));
}

TEST_F(ConnectionExportTest, that_the_store_has_no_more_room_for_are_closed_politely) {
    start_manager(1);
    constexpr std::size_t count = 40;
    hold(count);
    exporter().store(hello(), grace);
    run_until_calls(1);
    for (std::size_t i = 0; i < count; ++i) {
        TestConnection one("http", std::string(30'000, 'x'));
        web_.give_away(std::move(one.parked));
    }
    run_until_calls(3);
    EXPECT_EQ(web_.calls[1], "drain 500");
    EXPECT_THAT(warnings_, ElementsAre(HasSubstr("connections cannot be moved: ")));
    const auto returned = web_.adopted.size();
    EXPECT_GT(returned, 0U);
    web_.counted[CloseReason::drained] += returned;
    web_.drained();
    run_until_done();
    read(Channel(fake_->stored("channel")));
    EXPECT_EQ(arrived_.size() + returned, count);
    EXPECT_EQ(exporter().counts()[CloseReason::moved], arrived_.size());
    EXPECT_EQ(exporter().counts()[CloseReason::drained], returned);
    EXPECT_EQ(exporter().counts().open(), 0U);
}

TEST_F(ConnectionExportTest, are_drained_where_there_is_no_service_manager) {
    hold(1);
    exporter().store(hello(), grace);
    run_until_calls(1);
    EXPECT_THAT(web_.calls, ElementsAre("drain 500"));
    EXPECT_THAT(warnings_, IsEmpty()) << "nobody promised anything";
}

TEST_F(ConnectionExportTest, need_no_channel_if_there_are_none) {
    start_manager(8);
    exporter().store(hello(), grace);
    web_.drained();
    run_until_done();
    EXPECT_THAT(fake_->stored_names(), IsEmpty());
}

// ---- a restart in the middle of a reload

TEST_F(ConnectionExportTest, to_a_successor_go_into_the_store_once_the_service_restarts) {
    start_manager(8);
    hold(2);
    auto [ours, theirs] = Channel::make_pair();
    exporter().move_to(std::move(ours), grace);
    web_.give_away(std::move(TestConnection().parked));
    run_posted();
    exporter().store(hello(), grace);
    run_until_calls(2);
    read(theirs);
    EXPECT_EQ(arrived_.size(), 1U);
    EXPECT_TRUE(end_) << "the successor need not wait for us";
    web_.give_away(std::move(TestConnection().parked));
    web_.drained();
    run_until_done();
    read(Channel(fake_->stored("channel")));
    EXPECT_EQ(arrived_.size(), 2U);
    EXPECT_EQ(exporter().counts().to_sentence(), "held 2 = 2 moved");
}

TEST_F(ConnectionExportTest, to_a_successor_go_on_if_the_store_does_not_take_them) {
    start_manager(0);
    hold(1);
    auto [ours, theirs] = Channel::make_pair();
    exporter().move_to(std::move(ours), grace);
    exporter().store(hello(), grace);
    loop_.run_until([&] { return !warnings_.empty(); });
    web_.give_away(std::move(TestConnection().parked));
    web_.drained();
    run_until_done();
    read(theirs);
    EXPECT_EQ(arrived_.size(), 1U);
    EXPECT_THAT(web_.calls, ElementsAre("give 500"));
}

}  // namespace
}  // namespace handover::test
