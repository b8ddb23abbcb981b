// SPDX-License-Identifier: MIT
#include "handover/listeners.h"
#include "support/temporary_directory.h"
#include "unit/pipe.h"

#include <gtest/gtest.h>

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace handover::test {
namespace {

/// A client that has begun to connect.
class Client {
  public:
    explicit Client(const Endpoint& endpoint)
        : fd_(::socket(endpoint.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
        (void)::connect(fd_.get(), endpoint.address(), endpoint.address_length());
    }

    /// What became of it: 0 for connected, or errno; ETIMEDOUT if nothing did.
    [[nodiscard]] int outcome(std::chrono::milliseconds within = generous) const {
        pollfd decided{fd_.get(), POLLOUT, 0};
        if (::poll(&decided, 1, static_cast<int>(within.count())) != 1) return ETIMEDOUT;
        int error = 0;
        socklen_t length = sizeof error;
        ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
        return error;
    }

  private:
    UniqueFd fd_;
};

/// Over the loopback a handshake takes no time; one that is to succeed has done so by then.
constexpr std::chrono::milliseconds long_enough{100};

UniqueFd accept_from(const Listener& listener) {
    return UniqueFd(::accept4(listener.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
}

TEST(TurnAwayNewcomers, lets_those_in_the_queue_be_accepted_and_nobody_else) {
    for (const char* address : {"127.0.0.1:0", "[::]:0"}) {
        const auto listener = bind_listener({"http", Endpoint::parse(address)});
        const Client queued(listener.endpoint);
        ASSERT_EQ(queued.outcome(), 0);
        turn_away_newcomers(listener);
        const Client newcomer(listener.endpoint);
        EXPECT_EQ(newcomer.outcome(long_enough), ETIMEDOUT) << address;
        EXPECT_TRUE(accept_from(listener)) << address;
        EXPECT_FALSE(accept_from(listener)) << address;
    }
}

TEST(TurnAwayNewcomers, has_a_newcomer_refused_once_the_listener_is_closed) {
    auto listener = bind_listener({"http", Endpoint::parse("127.0.0.1:0")});
    turn_away_newcomers(listener);
    const Client newcomer(listener.endpoint);
    listener.fd.reset();
    EXPECT_EQ(newcomer.outcome(), ECONNREFUSED) << "at its first retry, after a second";
}

TEST(TurnAwayNewcomers, leaves_connections_alone_that_were_accepted) {
    const auto listener = bind_listener({"http", Endpoint::parse("127.0.0.1:0")});
    const Client client(listener.endpoint);
    ASSERT_EQ(client.outcome(), 0);
    const auto accepted = accept_from(listener);
    ASSERT_TRUE(accepted);
    turn_away_newcomers(listener);
    EXPECT_EQ(::send(accepted.get(), "x", 1, MSG_NOSIGNAL), 1);
}

TEST(TurnAwayNewcomers, is_undone_when_the_listener_is_adopted) {
    auto listener = bind_listener({"http", Endpoint::parse("127.0.0.1:0")});
    turn_away_newcomers(listener);
    const Client newcomer(listener.endpoint);
    ASSERT_EQ(newcomer.outcome(long_enough), ETIMEDOUT);
    std::vector<InheritedFd> inherited;
    const auto what = Descriptor::examine(listener.fd.get());
    inherited.push_back({"http", std::move(listener.fd), what});
    const auto listeners = Listeners::assemble(std::move(inherited), {{"http", listener.endpoint}});
    ASSERT_EQ(listeners.active.size(), 1U);
    EXPECT_EQ(newcomer.outcome(), 0) << "at its first retry, after a second";
}

TEST(TurnAwayNewcomers, unlinks_a_unix_path_and_keeps_its_queue) {
    const TemporaryDirectory directory;
    const auto path = directory / "x.sock";
    const auto listener = bind_listener({"http", Endpoint::parse("unix:" + path.string())});
    const Client queued(listener.endpoint);
    ASSERT_EQ(queued.outcome(), 0);
    turn_away_newcomers(listener);
    EXPECT_FALSE(std::filesystem::exists(path));
    EXPECT_TRUE(accept_from(listener));
}

}  // namespace
}  // namespace handover::test
