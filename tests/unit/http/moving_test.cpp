// SPDX-License-Identifier: MIT
// What handover::Service promises of drain() with Drain::give, and of adopt(): connections go on
// in another server as if nothing had happened.
#include "unit/http/server_fixture.h"

#include <poll.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace handover::http {
namespace {

using std::chrono::milliseconds;

constexpr const char* hello_request = "GET /hello HTTP/1.1\r\nHost: test\r\n\r\n";

/// Two servers, one after the other, and the way between them.
class Moving : public testing::Test {
  protected:
    Moving() {
        server_.start();
        successor_.start();
        (*server_).Get("/stream", [this](const httplib::Request&, httplib::Response& response) {
            response.set_chunked_content_provider(
                "text/plain", [this](std::size_t, httplib::DataSink& sink) {
                    sink.os << "begun";
                    sink.os.flush();
                    ++streaming_;
                    return eventually([this] { return end_stream_.load(); }) && (sink.done(), true);
                });
        });
    }

    /// What the first server gives away goes to the second, from whichever thread.
    std::future<void> begin_to_move() {
        auto promise = std::make_shared<std::promise<void>>();
        server_->stop_accepting();
        server_->drain({milliseconds(0),
                        [this](ParkedConnection connection) {
                            const std::lock_guard lock(mutex_);
                            given_.push_back({UniqueFd(), connection.listener, connection.unread});
                            successor_->adopt(std::move(connection));
                        }},
                       [promise] { promise->set_value(); });
        return promise->get_future();
    }
    std::size_t given() {
        const std::lock_guard lock(mutex_);
        return given_.size();
    }
    std::string unread_of_the_given() {
        const std::lock_guard lock(mutex_);
        std::string all;
        for (const auto& connection : given_) all += connection.unread;
        return all;
    }

    TestServer successor_;
    TestServer server_;
    std::mutex mutex_;  ///< guards given_
    std::vector<ParkedConnection> given_;
    std::atomic<int> streaming_{0};
    std::atomic<bool> end_stream_{false};
};

TEST_F(Moving, takes_idle_connections_over_at_once) {
    auto used = server_.connect();
    EXPECT_EQ(used.get("/hello").status, 200);
    auto unused = server_.connect();
    ASSERT_TRUE(eventually([&] { return server_->open_connections() == 2; }));
    const auto drained = begin_to_move();
    EXPECT_TRUE(is_ready(drained, milliseconds(0)));
    EXPECT_EQ(server_->open_connections(), 0U);
    EXPECT_EQ(successor_->open_connections(), 2U);
    for (auto* client : {&used, &unused}) {
        const auto response = client->get("/hello");
        EXPECT_EQ(response.status, 200);
        EXPECT_FALSE(response.says_close());
    }
    EXPECT_EQ(server_->counts()[CloseReason::moved], 2U);
    EXPECT_EQ(successor_->counts().opened, 2U);
}

TEST_F(Moving, keeps_the_name_of_the_listener_and_the_addresses_of_the_client) {
    auto client = server_.connect();
    ASSERT_TRUE(eventually([&] { return server_->open_connections() == 1; }));
    const auto drained = begin_to_move();
    EXPECT_EQ(given_.at(0).listener, "http");
    (*successor_).Get("/whoami", [](const httplib::Request& request, httplib::Response& response) {
        response.set_content(request.remote_addr, "text/plain");
    });
    EXPECT_EQ(client.get("/whoami").body, "127.0.0.1");
}

TEST_F(Moving, takes_a_busy_connection_over_after_its_response_which_does_not_say_close) {
    auto client = server_.connect_and_block();
    const auto drained = begin_to_move();
    EXPECT_EQ(given(), 0U);
    server_.release();
    const auto response = client.receive();
    EXPECT_EQ(response.body, "Released\n");
    EXPECT_FALSE(response.says_close());
    EXPECT_TRUE(is_ready(drained));
    EXPECT_EQ(given(), 1U);
    EXPECT_EQ(client.get("/hello").body, "Hello\n");
    EXPECT_EQ(successor_->open_connections(), 1U);
}

TEST_F(Moving, takes_requests_along_that_were_sent_ahead) {
    auto client = server_.connect();
    const std::string second = "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc";
    client.send("GET /block HTTP/1.1\r\nHost: test\r\n\r\n" + second + hello_request);
    ASSERT_TRUE(eventually([&] { return server_.blocked() == 1; }));
    const auto drained = begin_to_move();
    client.send("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nlast");
    server_.release();
    EXPECT_EQ(client.receive().body, "Released\n");
    EXPECT_EQ(client.receive().body, "abc");
    EXPECT_EQ(client.receive().body, "Hello\n");
    EXPECT_EQ(client.receive().body, "last") << "this one was still in the socket";
    EXPECT_EQ(unread_of_the_given(), second + hello_request);
}

TEST_F(Moving, takes_a_buffer_full_of_requests_along) {
    auto client = server_.connect();
    client.send("GET /block HTTP/1.1\r\nHost: test\r\n\r\n");
    ASSERT_TRUE(eventually([&] { return server_.blocked() == 1; }));
    constexpr int count = 3000;  // more than the buffer holds
    std::string all;
    for (int i = 0; i < count; ++i) all += hello_request;
    std::thread sender([&] { client.send(all); });
    const auto drained = begin_to_move();
    server_.release();
    EXPECT_EQ(client.receive().body, "Released\n");
    for (int i = 0; i < count; ++i) ASSERT_EQ(client.receive().body, "Hello\n") << i;
    sender.join();
}

TEST_F(Moving, answers_requests_of_a_client_that_has_ended_its_direction) {
    auto client = server_.connect();
    client.send(std::string("GET /block HTTP/1.1\r\nHost: test\r\n\r\n") + hello_request);
    client.end_sending();
    ASSERT_TRUE(eventually([&] { return server_.blocked() == 1; }));
    const auto drained = begin_to_move();
    server_.release();
    EXPECT_EQ(client.receive().body, "Released\n");
    EXPECT_EQ(client.receive().body, "Hello\n");
    EXPECT_TRUE(client.closed_by_server());
    EXPECT_TRUE(eventually([&] { return successor_->counts().open() == 0; }));
    EXPECT_EQ(successor_->counts()[CloseReason::closed_by_client], 1U);
}

TEST_F(Moving, takes_a_part_of_a_head_along) {
    auto client = server_.connect();
    client.send("GET /hello HTTP/1.1\r\nHo");
    ASSERT_TRUE(eventually([&] {
        int waiting = 0;
        return server_->open_connections() == 1 && ::ioctl(client.fd(), TIOCOUTQ, &waiting) == 0 &&
               waiting == 0;
    }));
    const auto drained = begin_to_move();
    ASSERT_TRUE(is_ready(drained));
    client.send("st: test\r\n\r\n");
    EXPECT_EQ(client.receive().body, "Hello\n");
}

TEST_F(Moving, takes_a_part_of_a_small_body_along) {
    auto client = server_.connect();
    const std::string begun = "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 6\r\n\r\nabc";
    client.send(hello_request + begun);
    EXPECT_EQ(client.receive().body, "Hello\n");  // so the rest of what was sent is read
    const auto drained = begin_to_move();
    ASSERT_TRUE(is_ready(drained));
    EXPECT_EQ(unread_of_the_given(), begun);
    EXPECT_TRUE(client.is_quiet());
    client.send("def");
    const auto response = client.receive();
    EXPECT_EQ(response.body, "abcdef");
    EXPECT_FALSE(response.says_close());
    EXPECT_EQ(successor_->open_connections(), 1U);
}

TEST_F(Moving, takes_a_part_of_a_body_along_that_has_been_waiting) {
    auto client = server_.connect();
    auto other = server_.connect();
    client.send("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 6\r\n\r\nabc");
    for (int i = 0; i < 10; ++i) EXPECT_EQ(other.get("/hello").status, 200);
    const auto drained = begin_to_move();
    ASSERT_TRUE(is_ready(drained));
    EXPECT_EQ(given(), 2U);
    client.send("def");
    EXPECT_EQ(client.receive().body, "abcdef");
}

TEST_F(Moving, leaves_a_stream_to_its_end_and_takes_the_connection_over_then) {
    auto client = server_.connect();
    client.send("GET /stream HTTP/1.1\r\nHost: test\r\n\r\n");
    ASSERT_TRUE(eventually([&] { return streaming_ == 1; }));
    const auto drained = begin_to_move();
    EXPECT_FALSE(is_ready(drained, milliseconds(0)));
    end_stream_ = true;
    EXPECT_EQ(client.receive().body, "begun");
    EXPECT_EQ(client.get("/hello").body, "Hello\n");
    EXPECT_TRUE(is_ready(drained));
}

TEST_F(Moving, counts_what_is_cut_in_the_middle_of_a_response) {
    auto client = server_.connect();
    client.send("GET /stream HTTP/1.1\r\nHost: test\r\n\r\n");
    ASSERT_TRUE(eventually([&] { return streaming_ == 1; }));
    const auto drained = begin_to_move();
    EXPECT_EQ(server_->close_remaining(), 1U);
    EXPECT_EQ(server_->counts()[CloseReason::cut_at_deadline], 1U);
    end_stream_ = true;
    EXPECT_TRUE(is_ready(drained));
    EXPECT_EQ(server_->counts().open(), 0U) << "and it is counted once";
    EXPECT_EQ(server_->counts()[CloseReason::closed_by_client], 0U);
}

TEST_F(Moving, leaves_connections_behind_that_are_over_anyway) {
    auto client = server_.connect();
    client.send("nonsense\r\n\r\n");
    EXPECT_EQ(client.receive().status, 400);
    EXPECT_TRUE(eventually([&] { return server_->counts()[CloseReason::last_response] == 1; }));
    const auto drained = begin_to_move();
    EXPECT_EQ(given(), 0U);
    EXPECT_TRUE(client.closed_by_server());
    EXPECT_TRUE(is_ready(drained));
}

TEST_F(Moving, passes_on_what_arrives_meanwhile) {
    const auto drained = begin_to_move();
    TestServer older;
    older.start();
    auto client = older.connect();
    ASSERT_TRUE(eventually([&] { return older->open_connections() == 1; }));
    older->stop_accepting();
    older->drain({milliseconds(0),
                  [this](ParkedConnection connection) { server_->adopt(std::move(connection)); }},
                 [] {});
    EXPECT_EQ(given(), 1U);
    EXPECT_EQ(server_->counts().opened, 1U);
    EXPECT_EQ(server_->counts()[CloseReason::moved], 1U);
    EXPECT_EQ(client.get("/hello").body, "Hello\n");
}

TEST_F(Moving, counts_one_that_was_reset_on_the_way_as_closed_by_its_client) {
    auto client = server_.connect();
    ASSERT_TRUE(eventually([&] { return server_->open_connections() == 1; }));
    std::vector<ParkedConnection> caught;
    server_->stop_accepting();
    server_->drain({milliseconds(0),
                    [&](ParkedConnection connection) { caught.push_back(std::move(connection)); }},
                   [] {});
    ASSERT_EQ(caught.size(), 1U);
    client.reset();
    ASSERT_TRUE(eventually([&] {
        pollfd state{caught[0].fd.get(), 0, 0};
        return ::poll(&state, 1, 0) == 1;
    }));
    successor_->adopt(std::move(caught[0]));
    EXPECT_EQ(successor_->counts()[CloseReason::closed_by_client], 1U);
    EXPECT_EQ(successor_->counts().open(), 0U);
}

TEST_F(Moving, ends_when_there_is_nobody_to_give_to_any_more) {
    auto client = server_.connect_and_block();
    const auto moved = begin_to_move();
    const auto drained = server_.drain(milliseconds(0));
    server_.release();
    EXPECT_TRUE(client.receive().says_close());
    EXPECT_TRUE(is_ready(drained));
    EXPECT_EQ(given(), 0U);
    EXPECT_EQ(server_->counts()[CloseReason::drained], 1U);
}

TEST_F(Moving, refuses_more_unread_bytes_than_its_buffer_holds) {
    ServerOptions small;
    small.head_bytes_max = 256;
    TestServer modest(small);
    modest.start();
    auto client = server_.connect();
    client.send("GET /hello HTTP/1.1\r\nX: " + std::string(1000, 'x'));
    ASSERT_TRUE(eventually([&] {
        int waiting = 0;
        return server_->open_connections() == 1 && ::ioctl(client.fd(), TIOCOUTQ, &waiting) == 0 &&
               waiting == 0;
    }));
    server_->stop_accepting();
    server_->drain({milliseconds(0),
                    [&](ParkedConnection connection) {
                        const auto before = connection.unread.size();
                        connection.unread.resize(std::max<std::size_t>(before, 1000), 'x');
                        modest->adopt(std::move(connection));
                    }},
                   [] {});
    EXPECT_EQ(client.receive().status, 431);
    EXPECT_TRUE(client.closed_by_server());
}

TEST_F(Moving, loses_no_request_and_adds_up_under_load) {
    std::atomic<bool> stop{false};
    std::atomic<int> answered{0};
    std::vector<std::thread> threads;
    constexpr int clients = 8;
    threads.reserve(clients);
    for (int i = 0; i < clients; ++i)
        threads.emplace_back([&, client = server_.connect()]() mutable {
            while (!stop) {
                ASSERT_EQ(client.get("/hello").body, "Hello\n");
                ++answered;
            }
        });
    // What stays in the queue of a server that has stopped accepting waits for the next process.
    ASSERT_TRUE(eventually([&] { return server_->open_connections() == clients; }));
    ASSERT_TRUE(eventually([&] { return answered > 200; }));
    const auto drained = begin_to_move();
    EXPECT_TRUE(is_ready(drained));
    const int before = answered;
    EXPECT_TRUE(eventually([&] { return answered > before + 200; }));
    stop = true;
    for (auto& thread : threads) thread.join();
    const auto counts = server_->counts();
    EXPECT_EQ(counts.opened, static_cast<std::uint64_t>(clients));
    EXPECT_EQ(counts[CloseReason::moved], static_cast<std::uint64_t>(clients));
    EXPECT_EQ(successor_->counts().opened, static_cast<std::uint64_t>(clients));
}

}  // namespace
}  // namespace handover::http
