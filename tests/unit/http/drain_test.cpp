// SPDX-License-Identifier: MIT
// What handover::Service promises of drain() and close_remaining().
#include "unit/http/server_fixture.h"

#include <string>
#include <thread>
#include <vector>

namespace handover::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds long_grace{60};

TEST(Drain, is_over_at_once_if_nothing_is_open) {
    TestServer server;
    EXPECT_TRUE(is_ready(server.drain(long_grace), milliseconds(0))) << "never started";
    server.start();
    EXPECT_TRUE(is_ready(server.drain(long_grace), milliseconds(0)));
}

TEST(Drain, answers_what_an_idle_client_still_sends_and_says_close) {
    TestServer server;
    server.start();
    auto client = server.connect();
    EXPECT_FALSE(client.get("/hello").says_close());
    const auto drained = server.drain(long_grace);
    EXPECT_TRUE(client.is_quiet());
    const auto response = client.get("/hello");
    EXPECT_EQ(response.body, "Hello\n");
    EXPECT_TRUE(response.says_close());
    EXPECT_FALSE(response.header("Keep-Alive"));
    EXPECT_TRUE(client.closed_by_server());
    { const auto gone = std::move(client); }
    EXPECT_TRUE(is_ready(drained));
}

TEST(Drain, says_close_to_requests_that_began_before_it) {
    TestServer server;
    server.start();
    auto client = server.connect_and_block();
    const auto drained = server.drain(milliseconds(0));
    EXPECT_EQ(server->open_connections(), 1U);
    server.release();
    const auto response = client.receive();
    EXPECT_EQ(response.body, "Released\n");
    EXPECT_TRUE(response.says_close());
    EXPECT_TRUE(client.closed_by_server());
    EXPECT_TRUE(is_ready(drained));
}

TEST(Drain, closes_idle_connections_after_their_grace) {
    TestServer server;
    server.start();
    auto client = server.connect();
    EXPECT_EQ(client.get("/hello").status, 200);
    const auto begun = Clock::now();
    const auto drained = server.drain(milliseconds(150));
    EXPECT_TRUE(client.closed_by_server());
    EXPECT_GE(Clock::now() - begun, milliseconds(150));
    EXPECT_TRUE(is_ready(drained));
}

TEST(Drain, does_not_close_where_a_request_waits_to_be_read) {
    ServerOptions options;
    options.threads_max = 1;
    TestServer server(options);
    server.start();
    auto idle = server.connect();
    auto waiting = server.connect();
    EXPECT_EQ(idle.get("/hello").status, 200);
    EXPECT_EQ(waiting.get("/hello").status, 200);
    std::vector<RawClient> blocked;
    for (unsigned i = 0; i < std::max(2U, std::thread::hardware_concurrency()); ++i)
        blocked.push_back(server.connect_and_block());
    waiting.send("GET /hello HTTP/1.1\r\n\r\n");  // nobody is there to read it
    const auto drained = server.drain(milliseconds(0));
    EXPECT_TRUE(idle.closed_by_server()) << "the grace is over";
    EXPECT_TRUE(waiting.is_quiet());
    server.release();
    EXPECT_TRUE(waiting.receive().says_close());
    EXPECT_TRUE(waiting.closed_by_server());
}

TEST(Drain, leaves_a_partial_head_its_time_but_no_more) {
    ServerOptions options;
    options.head_timeout = milliseconds(400);
    TestServer server(options);
    server.start();
    auto idle = server.connect();
    EXPECT_EQ(idle.get("/hello").status, 200);
    auto finishes = server.connect();
    auto stalls = server.connect();
    for (auto* client : {&finishes, &stalls}) {
        EXPECT_EQ(client->get("/hello").status, 200);
        client->send("GET /hello HTTP/1.1\r\nX: ");
    }
    // A complete request on a third connection has been read after those bytes were.
    EXPECT_EQ(idle.get("/hello").status, 200);
    const auto drained = server.drain(milliseconds(0));
    EXPECT_TRUE(idle.closed_by_server()) << "the grace is over";
    finishes.send("a\r\n\r\n");
    EXPECT_TRUE(finishes.receive().says_close());
    EXPECT_EQ(stalls.receive().status, 408);
    EXPECT_TRUE(stalls.closed_by_server());
    EXPECT_TRUE(is_ready(drained));
}

TEST(Drain, leaves_a_partial_body_its_time_but_no_more) {
    ServerOptions options;
    options.body_timeout = milliseconds(400);
    TestServer server(options);
    server.start();
    auto finishes = server.connect();
    auto stalls = server.connect();
    for (auto* client : {&finishes, &stalls}) {
        client->send(
            "GET /hello HTTP/1.1\r\n\r\nPOST /echo HTTP/1.1\r\nContent-Length: 6\r\n\r\nabc");
        EXPECT_EQ(client->receive().status, 200);
    }
    const auto drained = server.drain(milliseconds(0));
    finishes.send("def");
    const auto response = finishes.receive();
    EXPECT_EQ(response.body, "abcdef");
    EXPECT_TRUE(response.says_close());
    EXPECT_EQ(stalls.receive().status, 408);
    EXPECT_TRUE(stalls.closed_by_server());
    EXPECT_TRUE(is_ready(drained));
}

TEST(Drain, lets_content_providers_finish) {
    TestServer server;
    std::promise<void> begun;
    std::latch go_on(1);
    server->Get("/stream", [&](const httplib::Request&, httplib::Response& response) {
        response.set_chunked_content_provider("text/plain",
                                              [&](std::size_t offset, httplib::DataSink& sink) {
                                                  if (offset == 0) {
                                                      begun.set_value();
                                                      return sink.write("first ", 6);
                                                  }
                                                  go_on.wait();
                                                  sink.write("last", 4);
                                                  sink.done();
                                                  return true;
                                              });
    });
    server.start();
    auto client = server.connect();
    client.send("GET /stream HTTP/1.1\r\n\r\n");
    begun.get_future().wait();
    const auto drained = server.drain(milliseconds(0));
    go_on.count_down();
    EXPECT_EQ(client.receive().body, "first last");
    EXPECT_TRUE(client.closed_by_server()) << "by the grace, as the head had said nothing";
    EXPECT_TRUE(is_ready(drained));
}

TEST(Drain, can_be_shortened_by_a_second_one_whose_callback_counts) {
    TestServer server;
    server.start();
    auto client = server.connect();
    EXPECT_EQ(client.get("/hello").status, 200);
    std::atomic<bool> first_called{false};
    server->stop_accepting();
    server->drain({long_grace}, [&] { first_called = true; });
    const auto second = server.drain(milliseconds(0));
    EXPECT_TRUE(client.closed_by_server());
    EXPECT_TRUE(is_ready(second));
    EXPECT_FALSE(first_called);
}

TEST(Drain, is_forgotten_when_the_listeners_come_back) {
    std::atomic<bool> called{false};
    TestServer server;
    server.start();
    auto client = server.connect();
    EXPECT_EQ(client.get("/hello").status, 200);
    server->stop_accepting();
    server->drain({long_grace}, [&] { called = true; });
    server.start();
    EXPECT_FALSE(client.get("/hello").says_close());
    EXPECT_FALSE(server.connect().get("/hello").says_close());
    client.reset();
    EXPECT_TRUE(eventually([&] { return server->open_connections() == 0; }));
    EXPECT_FALSE(called);
}

TEST(CloseRemaining, counts_and_closes_idle_and_busy_connections) {
    TestServer server;
    server.start();
    auto idle = server.connect();
    EXPECT_EQ(idle.get("/hello").status, 200);
    auto busy = server.connect_and_block();
    const auto drained = server.drain(long_grace);
    EXPECT_EQ(server->close_remaining(), 2U);
    EXPECT_TRUE(idle.closed_by_server());
    EXPECT_TRUE(busy.closed_by_server());
    EXPECT_FALSE(is_ready(drained, milliseconds(0))) << "its handler goes on";
    server.release();
    EXPECT_TRUE(is_ready(drained));
}

TEST(CloseRemaining, stops_content_providers) {
    TestServer server;
    std::promise<void> begun;
    std::atomic<bool> told{false};
    server->Get("/endless", [&](const httplib::Request&, httplib::Response& response) {
        response.set_chunked_content_provider("text/plain",
                                              [&](std::size_t, httplib::DataSink& sink) {
                                                  if (!told.exchange(true)) begun.set_value();
                                                  return sink.write("more", 4);
                                              });
    });
    server.start();
    auto client = server.connect();
    client.send("GET /endless HTTP/1.1\r\n\r\n");
    begun.get_future().wait();
    const auto drained = server.drain(milliseconds(0));
    EXPECT_EQ(server->close_remaining(), 1U);
    EXPECT_TRUE(is_ready(drained));
}

}  // namespace
}  // namespace handover::http
