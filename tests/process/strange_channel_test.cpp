// SPDX-License-Identifier: MIT
// Channels that some other version, or nobody sensible, has left in the fd store.

#include "process/connections_fixture.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <string_view>

namespace handover::test {
namespace {

using namespace std::string_literals;

class StrangeChannel : public ConnectionsTest {
  protected:
    StrangeChannel() {
        std::array<int, 2> ends{};
        EXPECT_EQ(
            ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()),
            0);
        ours_.reset(ends[0]);
        theirs_.reset(ends[1]);
    }

    /// One packet, with the server's end of a new connection if wanted; that connection's client.
    UniqueFd put(std::string bytes, bool with_connection = false) {
        UniqueFd client;
        UniqueFd server;
        if (with_connection) {
            std::array<int, 2> ends{};
            EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
            client.reset(ends[0]);
            server.reset(ends[1]);
        }
        iovec part{bytes.data(), bytes.size()};
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
        msghdr packet{};
        packet.msg_iov = &part;
        packet.msg_iovlen = 1;
        if (with_connection) {
            packet.msg_control = control.data();
            packet.msg_controllen = control.size();
            cmsghdr* rights = CMSG_FIRSTHDR(&packet);
            rights->cmsg_level = SOL_SOCKET;
            rights->cmsg_type = SCM_RIGHTS;
            rights->cmsg_len = CMSG_LEN(sizeof(int));
            const int fd = server.get();
            std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
        }
        EXPECT_EQ(::sendmsg(ours_.get(), &packet, MSG_NOSIGNAL),
                  static_cast<ssize_t>(bytes.size()));
        return client;
    }

    /// A daemon that finds it in its store, as the last one has left it.
    std::unique_ptr<Daemon> start_with_it() {
        ours_.reset();
        auto start = managed(with_long_idle_timeout());
        start.process.inherited = {{"channel", theirs_.get()}};
        auto daemon = std::make_unique<Daemon>(directory_, start);
        theirs_.reset();
        EXPECT_TRUE(manager_.wait_for_message([](const FakeServiceManager::Message& message) {
            return message.says("FDSTOREREMOVE=1") && message.says("FDNAME=channel");
        }));
        EXPECT_EQ(daemon->ask().pid, daemon->pid());
        return daemon;
    }

    static bool wait_for_close(const UniqueFd& client) {
        pollfd end{client.get(), POLLIN, 0};
        char byte = 0;
        return ::poll(&end, 1, static_cast<int>(timeout.count())) == 1 &&
               ::recv(client.get(), &byte, 1, MSG_DONTWAIT) == 0;
    }

    static bool is_answered(const UniqueFd& client) {
        if (::send(client.get(), get_hello.data(), get_hello.size(), MSG_NOSIGNAL) < 0)
            return false;
        pollfd answer{client.get(), POLLIN, 0};
        std::array<char, 512> bytes{};
        return ::poll(&answer, 1, static_cast<int>(timeout.count())) == 1 &&
               ::recv(client.get(), bytes.data(), bytes.size(), 0) > 0 &&
               std::string_view(bytes.data()).starts_with("HTTP/1.1 200 ");
    }

    // "HOV1", version, type, length, reserved; then tag, length, bytes

    /// As every version writes it: protocol 7, of generation 4, stored.
    const std::string hello_ =
        "HOV1\x01\x00\x01\x00\x0f\x00\x00\x00\x00\x00\x00\x00"
        "\x01\x00\x01\x00"
        "7"
        "\x02\x00\x01\x00"
        "4"
        "\x06\x00\x01\x00"
        "1"s;
    const std::string connection_ =
        "HOV1\x02\x00\x05\x00\x08\x00\x00\x00\x00\x00\x00\x00"
        "\x07\x00\x04\x00"
        "http"s;
    const std::string end_ =
        "HOV1\x02\x00\x06\x00\x15\x00\x00\x00\x00\x00\x00\x00"
        "\x09\x00\x06\x00"
        "held=2"
        "\x09\x00\x07\x00"
        "moved=2"s;

    UniqueFd ours_;
    UniqueFd theirs_;
};

TEST_F(StrangeChannel, is_read_if_it_follows_the_protocol) {
    const auto unused = put(hello_);
    const auto client = put(connection_, true);
    const auto other = put(connection_, true);
    put(end_);
    const auto daemon = start_with_it();
    EXPECT_TRUE(is_answered(client));
    EXPECT_TRUE(is_answered(other));
    const auto imported = daemon->status().at("arrivals");
    EXPECT_EQ(imported.at("from"), 4);
    EXPECT_EQ(imported.at("adopted"), 2);
    EXPECT_EQ(imported.at("unreadable"), 0);
    EXPECT_EQ(account_received_by(*daemon), (Account{{"held", 2}, {"moved", 2}}));
}

TEST_F(StrangeChannel, of_garbage_is_closed_and_warned_about) {
    const auto client = put("no message at all", true);
    const auto daemon = start_with_it();
    const auto line = daemon->await_line("holds nothing that this version can read: closed");
    EXPECT_NE(line.find("warning"), std::string::npos) << line;
    EXPECT_TRUE(wait_for_close(client));
}

TEST_F(StrangeChannel, that_is_empty_is_closed_and_warned_about) {
    const auto daemon = start_with_it();
    daemon->await_line("holds nothing that this version can read: closed");
}

TEST_F(StrangeChannel, that_is_no_channel_is_closed_and_warned_about) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    ours_.reset(ends[0]);
    theirs_.reset(ends[1]);
    const auto daemon = start_with_it();
    daemon->await_line("an inherited 'channel' is ");
}

TEST_F(StrangeChannel, with_garbage_in_its_middle_loses_only_that) {
    put(hello_);
    const auto before = put(connection_, true);
    const auto garbled = put("no message at all", true);
    const auto without_listener =
        put("HOV1\x02\x00\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00"s, true);
    const auto after = put(connection_, true);
    put(connection_);  // a name without a descriptor
    put(end_);
    const auto daemon = start_with_it();
    daemon->await_line("a message of generation 4 cannot be read");
    EXPECT_TRUE(wait_for_close(garbled));
    EXPECT_TRUE(wait_for_close(without_listener));
    EXPECT_TRUE(is_answered(before));
    EXPECT_TRUE(is_answered(after));
    const auto imported = daemon->status().at("arrivals");
    EXPECT_EQ(imported.at("adopted"), 2);
    EXPECT_EQ(imported.at("unreadable"), 3);
}

TEST_F(StrangeChannel, of_a_later_protocol_version_is_read_as_far_as_possible) {
    put(hello_);
    auto later = connection_;
    later[4] = '\x04';
    const auto unreadable = put(later, true);
    const auto readable = put(connection_, true);
    put(end_);
    const auto daemon = start_with_it();
    const auto line = daemon->await_line("a message of generation 4 cannot be read");
    EXPECT_NE(line.find("warning"), std::string::npos) << line;
    EXPECT_TRUE(wait_for_close(unreadable));
    EXPECT_TRUE(is_answered(readable));
    EXPECT_EQ(daemon->status().at("arrivals").at("unreadable"), 1);
}

TEST_F(StrangeChannel, whose_very_hello_is_of_a_later_version_is_closed_and_warned_about) {
    auto later = hello_;
    later[4] = '\x04';
    put(later);
    const auto client = put(connection_, true);
    const auto daemon = start_with_it();
    daemon->await_line("holds nothing that this version can read: closed");
    EXPECT_TRUE(wait_for_close(client));
}

TEST_F(StrangeChannel, with_connections_of_an_unknown_listener_closes_them_politely) {
    put(hello_);
    auto unclaimed = connection_;
    unclaimed.replace(unclaimed.size() - 4, 4, "nntp");
    const auto client = put(unclaimed, true);
    const auto other = put(unclaimed, true);
    const auto known = put(connection_, true);
    put(end_);
    const auto daemon = start_with_it();
    daemon->await_line("connections of the listener 'nntp', which is not configured any more");
    EXPECT_TRUE(wait_for_close(client));
    EXPECT_TRUE(wait_for_close(other));
    EXPECT_TRUE(is_answered(known));
    const auto imported = daemon->status().at("arrivals");
    EXPECT_EQ(imported.at("adopted"), 1);
    EXPECT_EQ(imported.at("unclaimed"), 2);
    const auto told = run_command(daemon->command("status"), timeout);
    EXPECT_NE(told.out.find("2 closed as their listener is not configured any more"),
              std::string::npos)
        << told.out;
}

}  // namespace
}  // namespace handover::test
