// SPDX-License-Identifier: MIT
#include "handover/listeners/bind_listener.h"
#include "handover/listeners/listeners.h"
#include "support/pipe.h"
#include "support/temporary_directory.h"

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
    [[nodiscard]] int outcome(std::chrono::milliseconds within = test::timeout) const {
        pollfd decided{fd_.get(), POLLOUT, 0};
        if (::poll(&decided, 1, static_cast<int>(within.count())) != 1) return ETIMEDOUT;
        int error = 0;
        socklen_t length = sizeof error;
        ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
        return error;
    }

    [[nodiscard]] int fd() const { return fd_.get(); }

  private:
    UniqueFd fd_;
};

/// Over the loopback a handshake takes no time; one that is to succeed has done so by then.
constexpr std::chrono::milliseconds long_enough{100};

/// As for who has no privileges, on some kernels: there can be no filter any more (socket(7)).
void forbid_filters(const Listener& listener) {
    const int on = 1;
    ASSERT_EQ(::setsockopt(listener.fd.get(), SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof on), 0);
}

Listeners adopt(Listener listener) {
    std::vector<InheritedFd> inherited;
    const auto what = Descriptor::examine(listener.fd.get());
    inherited.push_back({"http", std::move(listener.fd), what});
    return Listeners::assemble(std::move(inherited), {{"http", listener.endpoint}});
}

UniqueFd accept_from(const Listener& listener) {
    return UniqueFd(::accept4(listener.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
}

class RefuseNewConnectionsFrom : public testing::TestWithParam<bool> {
  protected:
    [[nodiscard]] static Listener bind(const char* address) {
        auto listener = bind_listener({"http", Endpoint::parse(address)});
        if (!GetParam()) forbid_filters(listener);
        return listener;
    }
};
INSTANTIATE_TEST_SUITE_P(, RefuseNewConnectionsFrom, testing::Bool(), [](const auto& test) {
    return test.param ? "with_a_filter" : "without_a_filter";
});

TEST_P(RefuseNewConnectionsFrom, lets_those_in_the_queue_be_accepted_and_nobody_else) {
    for (const char* address : {"127.0.0.1:0", "[::]:0"}) {
        const auto listener = bind(address);
        const Client queued(listener.endpoint);
        ASSERT_EQ(queued.outcome(), 0);
        refuse_new_connections(listener);
        const auto ip4 = "127.0.0.1:" + std::to_string(listener.endpoint.port());
        for (const auto& endpoint : {listener.endpoint, Endpoint::parse(ip4)}) {
            const Client newcomer(endpoint);
            EXPECT_EQ(newcomer.outcome(long_enough), ETIMEDOUT) << address;
        }
        EXPECT_TRUE(accept_from(listener)) << address;
        EXPECT_FALSE(accept_from(listener)) << address;
    }
}

TEST(RefuseNewConnections, has_a_newcomer_refused_once_the_listener_is_closed) {
    auto listener = bind_listener({"http", Endpoint::parse("127.0.0.1:0")});
    refuse_new_connections(listener);
    const Client newcomer(listener.endpoint);
    listener.fd.reset();
    EXPECT_EQ(newcomer.outcome(), ECONNREFUSED) << "at its first retry, after a second";
}

TEST_P(RefuseNewConnectionsFrom, leaves_connections_alone_that_were_accepted) {
    const auto listener = bind("127.0.0.1:0");
    const Client client(listener.endpoint);
    ASSERT_EQ(client.outcome(), 0);
    const auto accepted = accept_from(listener);
    ASSERT_TRUE(accepted);
    refuse_new_connections(listener);
    ASSERT_EQ(::send(client.fd(), "x", 1, MSG_NOSIGNAL), 1);
    pollfd readable{accepted.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&readable, 1, static_cast<int>(test::timeout.count())), 1);
}

TEST_P(RefuseNewConnectionsFrom, is_undone_when_the_listener_is_adopted) {
    auto listener = bind("127.0.0.1:0");
    refuse_new_connections(listener);
    const Client newcomer(listener.endpoint);
    ASSERT_EQ(newcomer.outcome(long_enough), ETIMEDOUT);
    const auto listeners = adopt(std::move(listener));
    ASSERT_EQ(listeners.active.size(), 1U);
    EXPECT_EQ(newcomer.outcome(), 0) << "at its first retry, after a second";
    // What is sent on the connection arrives, too.
    const auto accepted = accept_from(listeners.active.front());
    ASSERT_TRUE(accepted);
    ASSERT_EQ(::send(newcomer.fd(), "x", 1, MSG_NOSIGNAL), 1);
    pollfd readable{accepted.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&readable, 1, static_cast<int>(test::timeout.count())), 1);
}

TEST(RefuseNewConnections, unlinks_a_unix_path_and_keeps_its_queue) {
    const TemporaryDirectory directory;
    const auto path = directory / "x.sock";
    const auto listener = bind_listener({"http", Endpoint::parse("unix:" + path.string())});
    const Client queued(listener.endpoint);
    ASSERT_EQ(queued.outcome(), 0);
    refuse_new_connections(listener);
    EXPECT_FALSE(std::filesystem::exists(path));
    EXPECT_TRUE(accept_from(listener));
}

}  // namespace
}  // namespace handover::test
