// SPDX-License-Identifier: MIT
// What a server counts, and that it can count where another one counts.
#include "support/pass_time.h"
#include "unit/http/server_fixture.h"

#include <array>
#include <string>
#include <vector>

namespace handover::http {
namespace {

using std::chrono::milliseconds;

using Counters = std::array<Counter, ServerCounters::size>;

/// The last count comes after the client has its answer.
bool wait_for_count(std::uint64_t count, const DurationHistogram& durations) {
    return eventually([&] { return durations.count() == count; });
}

TEST(ServerCounters, count_requests_by_status_and_how_long_each_took) {
    TestServer server;
    server->Get("/status", [](const httplib::Request& request, httplib::Response& response) {
        response.status = std::stoi(request.get_param_value("is"));
    });
    server->Get("/throw", [](const httplib::Request&, httplib::Response&) { throw 1; });
    server.start();
    auto client = server.connect();
    for (const auto* path : {"/hello", "/hello", "/nowhere", "/status?is=204", "/throw"})
        (void)client.get(path);
    const auto& counters = server->counters();
    EXPECT_EQ(counters.answered_count(200), 2U);
    EXPECT_EQ(counters.answered_count(404), 1U);
    EXPECT_EQ(counters.answered_count(204), 1U);
    EXPECT_EQ(counters.answered_count(500), 1U);
    EXPECT_TRUE(wait_for_count(5, counters.durations()));
    EXPECT_GT(counters.durations().sum().count(), 0);
}

TEST(ServerCounters, take_what_is_no_status_for_the_last_one) {
    Counters places{};
    const ServerCounters counters(places);
    for (const int status : {-1, 0, 99, 600, 1'000'000}) counters.answered(status);
    EXPECT_EQ(counters.answered_count(599), 5U);
    counters.answered(100);
    EXPECT_EQ(counters.answered_count(100), 1U);
}

TEST(ServerCounters, keep_all_that_they_count_apart) {
    Counters places{};
    const ServerCounters counters(places);
    counters.opened();
    for (const auto reason : all_close_reasons) counters.ended(reason);
    for (int status = ServerCounters::first_status; status <= ServerCounters::last_status; ++status)
        counters.answered(status);
    for (const auto bound : DurationHistogram::bounds) counters.durations().add(bound);
    counters.durations().add(std::chrono::hours(1));
    EXPECT_EQ(counters.opened_count(), 1U);
    for (const auto reason : all_close_reasons) EXPECT_EQ(counters.ended_count(reason), 1U);
    for (int status = ServerCounters::first_status; status <= ServerCounters::last_status; ++status)
        EXPECT_EQ(counters.answered_count(status), 1U) << status;
    for (std::size_t i = 0; i < DurationHistogram::buckets; ++i)
        EXPECT_EQ(counters.durations().count(i), 1U) << i;
}

TEST(ServerCounters, count_a_long_request_as_long) {
    TestServer server;
    server.start();
    auto client = server.connect_and_block();
    test::pass_time(milliseconds(20));
    server.release();
    EXPECT_EQ(client.receive().status, 200);
    const auto durations = server->counters().durations();
    EXPECT_TRUE(wait_for_count(1, durations));
    EXPECT_GE(durations.sum(), milliseconds(20));
}

TEST(ServerCounters, count_what_is_refused_without_a_duration) {
    ServerOptions options;
    options.head_timeout = milliseconds(50);
    options.head_lines_max = 5;
    options.body_bytes_max = 10;
    TestServer server(options);
    server.start();
    const auto answer_to = [&](const std::string& request) {
        auto client = server.connect();
        client.send(request);
        return client.receive().status;
    };
    EXPECT_EQ(answer_to("GET / HTTP/1.1\r\nbad\r\n\r\n"), 400);
    EXPECT_EQ(answer_to("GET / HT"), 408);
    EXPECT_EQ(answer_to("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n"), 413);
    EXPECT_EQ(answer_to("POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\n"
                        "Content-Length: 1\r\n\r\nx"),
              415);
    EXPECT_EQ(answer_to("GET / HTTP/1.1\r\nA: 1\r\nA: 2\r\nA: 3\r\nA: 4\r\nA: 5\r\nA: 6\r\n\r\n"),
              431);
    const auto& counters = server->counters();
    for (const int status : {400, 408, 413, 415, 431})
        EXPECT_EQ(counters.answered_count(status), 1U) << status;
    EXPECT_EQ(counters.durations().count(), 0U);
}

TEST(ServerCounters, of_two_servers_in_one_place_add_up) {
    Counters places{};
    TestServer first;
    TestServer second;
    for (auto* server : {&first, &second}) {
        (*server)->count_in(ServerCounters(places));
        server->start();
        EXPECT_EQ(server->connect().get("/hello").status, 200);
    }
    const ServerCounters counters(places);
    EXPECT_EQ(counters.answered_count(200), 2U);
    EXPECT_EQ(counters.opened_count(), 2U);
    EXPECT_TRUE(
        eventually([&] { return counters.ended_count(CloseReason::closed_by_client) == 2; }));
    EXPECT_EQ(first->counts().opened, 1U) << "and each has an account of its own";
}

TEST(ServerCounters, agree_with_the_account_of_connections) {
    TestServer server;
    server.start();
    auto idle = server.connect();
    EXPECT_EQ(idle.get("/hello").status, 200);
    server.connect().reset();
    auto last = server.connect();
    last.send("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    (void)last.receive_to_end();
    auto drained = server.drain(milliseconds(0));
    EXPECT_TRUE(idle.closed_by_server());
    EXPECT_TRUE(is_ready(drained));
    const auto& counters = server->counters();
    const auto counts = server->counts();
    EXPECT_EQ(counters.opened_count(), 3U);
    EXPECT_EQ(counters.opened_count(), counts.opened);
    for (const auto reason : all_close_reasons)
        EXPECT_EQ(counters.ended_count(reason), counts[reason]) << to_string(reason);
}

TEST(ConnectionStates, tell_what_connections_do) {
    ServerOptions options;
    options.linger = std::chrono::hours(1);
    TestServer server(options);
    server.start();
    const auto come_to = [&](ConnectionStates wanted) {
        return eventually([&] { return server->connection_states() == wanted; });
    };
    EXPECT_TRUE(come_to({}));
    std::vector<RawClient> idle;
    idle.reserve(4);
    for (int i = 0; i < 4; ++i) idle.push_back(server.connect());
    EXPECT_EQ(idle.front().get("/hello").status, 200);
    EXPECT_TRUE(come_to({.idle = 4}));
    auto head = server.connect();
    head.send("GET /hel");
    auto body = server.connect();
    body.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo");
    EXPECT_TRUE(come_to({.idle = 4, .receiving = 2}));
    auto active = server.connect_and_block();
    EXPECT_TRUE(come_to({.idle = 4, .receiving = 2, .active = 1}));
    auto bad = server.connect();
    bad.send("bad\r\n\r\n");
    EXPECT_TRUE(come_to({.idle = 4, .receiving = 2, .active = 1, .lingering = 1}));
    server.release();
    EXPECT_EQ(active.receive().status, 200);
    body.send("dy");
    EXPECT_EQ(body.receive().status, 200);
    idle.clear();
    EXPECT_TRUE(come_to({.idle = 2, .receiving = 1, .lingering = 1}));
    EXPECT_EQ(server->close_remaining(), 3U);
    EXPECT_TRUE(come_to({}));
}

}  // namespace
}  // namespace handover::http
