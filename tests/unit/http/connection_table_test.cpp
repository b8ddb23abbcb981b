// SPDX-License-Identifier: MIT
#include "http/connection_table.h"

#include <gtest/gtest.h>

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <optional>
#include <stdexcept>
#include <string_view>

namespace handover::http {
namespace {

/// A lot with one connection, and the client's end of it.
class ConnectionTableTest : public ::testing::Test {
  protected:
    void admit(std::string unread = {}) {
        std::array<int, 2> ends{};
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()),
                  0);
        client_ = UniqueFd(ends[0]);
        ASSERT_TRUE(table_.admit(UniqueFd(ends[1]), 0, SocketName(), std::move(unread)));
    }
    void send(std::string_view bytes) {
        EXPECT_EQ(::send(client_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(bytes.size()));
    }
    /// What epoll has to report at this moment.
    std::optional<epoll_event> reported() {
        epoll_event event{};
        if (::epoll_wait(epoll_.get(), &event, 1, 0) != 1) return std::nullopt;
        return event;
    }
    Connection* claim_reported() {
        const auto event = reported();
        return event ? table_.claim(*event) : nullptr;
    }
    /// What a worker holds when the client has sent something.
    Connection& send_and_claim(std::string_view bytes) {
        send(bytes);
        Connection* connection = claim_reported();
        if (connection == nullptr) throw std::runtime_error("what has been sent is not reported");
        return *connection;
    }
    static void read_all(const Connection& connection) {
        std::array<char, 100> bytes{};
        while (::recv(connection.fd.get(), bytes.data(), bytes.size(), 0) > 0) continue;
    }
    void park(Connection& connection, bool exhausted) {
        table_.park(connection, Waiting::for_request, ConnectionTable::Time::begins, exhausted);
    }

    UniqueFd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
    std::array<Counter, ServerCounters::size> places_{};
    ServerCounters counters_{places_};
    ConnectionTable table_{
        epoll_.get(), {[] {}, [](ConnectionTable::Detached&) { return false; }}, counters_};
    UniqueFd client_;
};

TEST_F(ConnectionTableTest, reports_what_comes) {
    admit();
    EXPECT_FALSE(reported());
    send("x");
    EXPECT_NE(claim_reported(), nullptr);
    EXPECT_FALSE(reported()) << "once";
}

TEST_F(ConnectionTableTest, reports_nothing_of_what_has_been_read) {
    admit();
    Connection& connection = send_and_claim("x");
    read_all(connection);
    park(connection, true);
    EXPECT_FALSE(reported());
    send("x");
    EXPECT_NE(claim_reported(), nullptr);
}

TEST_F(ConnectionTableTest, reports_anew_what_has_not_been_read_to_its_end) {
    admit();
    Connection& connection = send_and_claim("x");
    park(connection, false);
    EXPECT_EQ(claim_reported(), &connection);
}

TEST_F(ConnectionTableTest, reports_anew_what_came_while_a_worker_held_the_connection) {
    admit();
    Connection& connection = send_and_claim("x");
    read_all(connection);
    send("y");
    const auto event = reported();
    ASSERT_TRUE(event);
    EXPECT_EQ(table_.claim(*event), nullptr) << "another worker";
    park(connection, true);
    EXPECT_EQ(claim_reported(), &connection);
}

TEST_F(ConnectionTableTest, reports_the_end_that_came_together_with_bytes) {
    admit();
    send("x");
    ASSERT_EQ(::shutdown(client_.get(), SHUT_WR), 0);
    Connection* connection = claim_reported();
    ASSERT_NE(connection, nullptr);
    park(*connection, true);
    EXPECT_EQ(claim_reported(), connection);
}

TEST_F(ConnectionTableTest, reports_at_once_what_another_generation_has_read) {
    admit("GET / HT");
    Connection* connection = claim_reported();
    ASSERT_NE(connection, nullptr);
    connection->unread.clear();
    park(*connection, true);
    EXPECT_FALSE(reported()) << "that it can be written to is no news any more";
}

TEST_F(ConnectionTableTest, reports_at_once_what_no_other_generation_would_take) {
    admit();
    Connection& connection = send_and_claim("x");
    read_all(connection);
    connection.unread = "x";
    park(connection, true);
    EXPECT_EQ(claim_reported(), &connection);
}

TEST_F(ConnectionTableTest, reports_again_on_demand) {
    admit();
    send("x");
    const auto event = reported();
    ASSERT_TRUE(event);
    EXPECT_FALSE(reported());
    table_.report_again(*event);
    Connection* connection = claim_reported();
    ASSERT_NE(connection, nullptr);
    read_all(*connection);
    table_.report_again(*event);  // it is held: afterwards then
    EXPECT_FALSE(reported());
    send("y");
    park(*connection, true);
    EXPECT_EQ(claim_reported(), connection);
    table_.close(*connection, CloseReason::closed_by_client);
    table_.report_again(*event);  // it is gone
    EXPECT_FALSE(reported());
}

TEST_F(ConnectionTableTest, finds_in_a_sweep_what_no_event_has_told_of) {
    admit();
    send("x");
    ASSERT_TRUE(reported());  // and lost
    table_.sweep({Clock::now(), Clock::now(), Clock::now(), Clock::now()}, CloseReason::timed_out);
    EXPECT_NE(claim_reported(), nullptr);
}

}  // namespace
}  // namespace handover::http
