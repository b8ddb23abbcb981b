// SPDX-License-Identifier: MIT
#include "handover/connections/connection_sender.h"

#include "handover/connections/connection_message.h"
#include "support/open_descriptors.h"
#include "support/pipe.h"
#include "unit/handover/connections.h"
#include "unit/handover/test_loop.h"

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
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
                ++ends_;
                end_ = counts_of(message);
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
        return sender_.emplace(loop_,
                               ConnectionSender::Callbacks{
                                   .all_sent = [this] { ++all_sent_; },
                                   .failed = [this](const std::string& why) { failure_ = why; }});
    }

    void run_posted() {
        loop_.post([this] { loop_.stop(); });
        loop_.run_to_the_end();
    }

    TestLoop loop_;
    std::optional<ConnectionSender> sender_;
    int all_sent_ = 0;
    std::string failure_;
    std::optional<ConnectionCounts> end_;
    int ends_ = 0;
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
    threads.reserve(4);
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
    const Channel reader(std::move(theirs));
    loop_.watch(reader.fd(), [&] {
        received += receive(reader).size();
        if (received == count) loop_.stop();
    });
    loop_.run_to_the_end();
    EXPECT_EQ(received, count);
    EXPECT_EQ(sender.unsent(), 0U);
    loop_.forget(reader.fd());
}

TEST_F(ConnectionSenderTest, asks_for_another_channel_where_nobody_reads) {
    std::vector<Channel> full;
    ConnectionSender* self = nullptr;
    const auto next = [&] {
        auto [ours, theirs] = Channel::make_pair();
        full.push_back(std::move(theirs));
        self->continue_with(std::move(ours));
    };
    ConnectionSender sender(loop_, {.all_sent = [this] { ++all_sent_; },
                                    .failed = [this](const std::string& why) { failure_ = why; },
                                    .full = next});
    self = &sender;
    next();
    constexpr std::size_t count = 40;
    for (std::size_t i = 0; i < count; ++i) {
        auto connection = TestConnection("http", std::string(30'000, 'x'));
        sender.inlet()(std::move(connection.parked));
    }
    run_posted();
    ConnectionCounts counts;
    counts.opened = count;
    sender.finish(counts);
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
    ConnectionCounts counts;
    counts.opened = 1;
    counts[CloseReason::moved] = 1;
    sender.finish(counts);
    EXPECT_EQ(all_sent_, 0);
    sender.continue_with(std::move(ours));
    EXPECT_EQ(all_sent_, 1);
    EXPECT_EQ(receive(theirs).size(), 1U);
    EXPECT_EQ(end_, counts);
}

TEST_F(ConnectionSenderTest, does_not_say_an_end_that_was_withdrawn) {
    auto [ours, theirs] = Channel::make_pair();
    auto& sender = waiting_sender();
    ConnectionCounts counts;
    counts.opened = 1;
    sender.finish(counts);
    sender.withdraw_finish();
    sender.continue_with(std::move(ours));
    receive(theirs);
    EXPECT_EQ(ends_, 0);
    counts.opened = 2;
    sender.finish(counts);
    receive(theirs);
    EXPECT_EQ(ends_, 1);
    EXPECT_EQ(end_, counts);
}

TEST_F(ConnectionSenderTest, says_one_end_also_if_it_could_not_wait_with_it) {
    auto [ours, theirs] = Channel::make_pair();
    const Channel reader(std::move(theirs));
    auto filler = Message::of(Message::Type::hello);
    filler.fields = {{Message::Tag::version, std::string(30'000, 'x')}};
    while (ours.send(filler) == Channel::Sent::sent) {
    }
    auto& sender = waiting_sender();
    sender.continue_with(std::move(ours));
    ConnectionCounts counts;
    counts.opened = 1;
    sender.finish(counts);
    receive(reader);
    EXPECT_EQ(ends_, 0) << "there was no room";
    counts.opened = 2;
    sender.finish_now(counts);
    while (all_sent_ < 2) {  // with a channel, and when there is room
        loop_.post([this] { loop_.stop(); });
        loop_.run_to_the_end();
    }
    receive(reader);
    EXPECT_EQ(ends_, 1);
    EXPECT_EQ(end_, counts);
}

TEST_F(ConnectionSenderTest, calls_nothing_back_once_it_is_stopped) {
    auto [ours, theirs] = Channel::make_pair();
    auto& sender = waiting_sender();
    sender.continue_with(std::move(ours));
    const int before = all_sent_;
    TestConnection one;
    sender.inlet()(std::move(one.parked));
    sender.stop();
    TestConnection late;
    sender.inlet()(std::move(late.parked));
    EXPECT_TRUE(is_closed(late.client));
    run_posted();
    EXPECT_TRUE(receive(theirs).empty());
    EXPECT_EQ(all_sent_, before);
    EXPECT_EQ(sender.take_back().size(), 1U);
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

// ---- the limit of descriptors in flight (unix(7), ETOOMANYREFS)

/// A sender in a process to which that limit applies: root is above it, and it is counted for each
/// user, so the child becomes a user that nobody else is. The test itself holds the other end of
/// the channel, as the fd store or a successor would, and the clients.
class ConnectionSenderAtTheLimit : public testing::Test {
  protected:
    static constexpr std::size_t count = 600;
    static constexpr rlim_t limit = 100;
    static constexpr int cannot_be_limited = 77;
    static constexpr unsigned seconds_at_most = 30;

    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
        // Before there is a limit to their number.
        for (std::size_t i = 0; i < count; ++i)
            connections_.emplace_back("http", std::to_string(i));
    }

    void TearDown() override {
        if (child_ <= 0) return;
        int status = 0;
        ASSERT_EQ(::waitpid(child_, &status, 0), child_);
        ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
        if (WEXITSTATUS(status) == cannot_be_limited)
            GTEST_SKIP() << "there is no other user in this namespace";
        EXPECT_EQ(WEXITSTATUS(status), 0) << "the child says why";
    }

    struct Child {
        EventLoop loop;
        std::string failure;
        bool all_sent = false;
        std::optional<ConnectionSender> sender;

        explicit Child(std::function<void()> full) {
            ConnectionSender::Callbacks callbacks;
            callbacks.all_sent = [this] {
                all_sent = true;
                loop.stop();
            };
            callbacks.failed = [this](const std::string& why) { failure = why; };
            callbacks.full = std::move(full);
            sender.emplace(loop, std::move(callbacks));
        }
    };

    /// In the child, which has put all connections into the sender, and sent what it may. Says what
    /// is wrong, if anything is.
    using Body = std::function<std::string(Child&)>;

    void start(std::function<void()> full, const Body& body) {
        auto [ours, theirs] = Channel::make_pair();
        child_ = ::fork();
        ASSERT_GE(child_, 0);
        if (child_ == 0) {
            { const Channel not_ours(std::move(theirs)); }
            Child child(std::move(full));
            ::alarm(seconds_at_most);
            const auto user = static_cast<uid_t>(0x40000000 + ::getpid());
            const rlimit low{limit, limit};
            if (::setresuid(user, user, user) != 0 || ::setrlimit(RLIMIT_NOFILE, &low) != 0)
                ::_exit(cannot_be_limited);
            for (auto& connection : connections_)
                child.sender->inlet()(std::move(connection.parked));
            child.sender->continue_with(std::move(ours));
            const auto wrong = body(child);
            if (!wrong.empty()) std::fprintf(stderr, "the child: %s\n", wrong.c_str());
            ::_exit(wrong.empty() ? 0 : 1);
        }
        for (auto& connection : connections_) connection.parked.fd.reset();
        theirs_.emplace(std::move(theirs));
    }

    /// The next message, which has to have the connections from that one on. How many it had.
    std::size_t receive(std::size_t first) {
        Message message;
        if (theirs_->receive(message) != Channel::Received::message) return 0;
        const auto received = unpack(std::move(message));
        if (!received) ADD_FAILURE() << "a message that cannot be read";
        for (std::size_t i = 0; received && i < received->size(); ++i) {
            EXPECT_EQ((*received)[i].unread, std::to_string(first + i));
            EXPECT_TRUE(is_connected_to((*received)[i].fd, connections_[first + i].client));
        }
        return received ? received->size() : 0;
    }

    /// Readable when the child says so, or has ended.
    void await_child() {
        EXPECT_TRUE(wait_for_input(told_.in.get()));
        char byte = 0;
        EXPECT_EQ(::read(told_.in.get(), &byte, 1), 1);
    }
    void tell_parent() const { (void)!::write(told_.out.get(), "x", 1); }

    std::vector<TestConnection> connections_;
    std::optional<Channel> theirs_;
    Pipe told_;
    pid_t child_ = -1;
};

TEST_F(ConnectionSenderAtTheLimit, gives_back_the_rest_where_nobody_reads) {
    start([] {},
          [this](Child& child) -> std::string {
              tell_parent();
              if (child.failure != "more descriptors are in flight than RLIMIT_NOFILE allows")
                  return "failed with '" + child.failure + "'";
              if (child.all_sent) return "says that all has been sent";
              const auto back = child.sender->take_back();
              // The kernel looks before it sends: one message may go beyond.
              if (back.size() != count - Channel::most_fds)
                  return "gives back " + std::to_string(back.size());
              for (std::size_t i = 0; i < back.size(); ++i) {
                  const auto number = Channel::most_fds + i;
                  if (back[i].unread != std::to_string(number) ||
                      !is_connected_to(back[i].fd, connections_[number].client))
                      return "gives back another one at " + std::to_string(i);
              }
              return child.sender->unsent() == 0 ? "" : "keeps some";
          });
    await_child();
    EXPECT_EQ(receive(0), Channel::most_fds) << "what has been sent is not lost";
    EXPECT_EQ(receive(Channel::most_fds), 0U);
}

TEST_F(ConnectionSenderAtTheLimit, goes_on_when_a_reader_has_made_room) {
    start(nullptr, [this](Child& child) -> std::string {
        if (child.sender->unsent() != count - Channel::most_fds)
            return "has not sent " + std::to_string(child.sender->unsent());
        tell_parent();
        child.loop.run();  // stopped when all has been sent
        if (!child.failure.empty()) return "failed with '" + child.failure + "'";
        return child.sender->unsent() == 0 ? "" : "keeps some";
    });
    await_child();
    std::size_t received = 0;
    while (received < count) {
        ASSERT_TRUE(wait_for_input(theirs_->fd())) << received << " have come";
        const auto more = receive(received);
        ASSERT_GT(more, 0U) << received << " have come";
        received += more;
    }
    EXPECT_EQ(received, count);
}

}  // namespace
}  // namespace handover::test
