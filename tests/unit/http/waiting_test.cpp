// SPDX-License-Identifier: MIT
// Connections and requests that wait: for a request, for the rest of one, for a handler.
#include "support/descriptor_limit.h"
#include "support/pass_time.h"
#include "unit/http/server_fixture.h"

#include <sys/socket.h>

#include <algorithm>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace handover::http {
namespace {

using std::chrono::milliseconds;
using test::DescriptorLimit;

TEST(IdleConnections, cost_no_thread) {
    const DescriptorLimit limit(4096);
    TestServer server;
    server.start();
    EXPECT_EQ(server.connect().get("/hello").status, 200);
    const auto threads = thread_count();
    std::vector<RawClient> clients;
    clients.reserve(1000);
    for (int i = 0; i < 1000; ++i) clients.push_back(server.connect());
    for (auto& client : clients) EXPECT_EQ(client.get("/hello").status, 200);
    EXPECT_TRUE(eventually([&] { return server->open_connections() == 1000; }));
    EXPECT_TRUE(eventually([&] { return thread_count() <= threads; }));
    EXPECT_EQ(clients.front().get("/hello").status, 200);
}

TEST(IdleConnections, are_closed_silently_in_the_end) {
    ServerOptions options;
    options.idle_timeout = milliseconds(50);
    TestServer server(options);
    server.start();
    auto fresh = server.connect();
    auto used = server.connect();
    EXPECT_EQ(used.get("/hello").status, 200);
    EXPECT_TRUE(fresh.closed_by_server());
    EXPECT_TRUE(used.closed_by_server());
    EXPECT_TRUE(eventually([&] { return server->open_connections() == 0; }));
}

TEST(IdleConnections, that_the_client_closes_are_gone) {
    TestServer server;
    server.start();
    { EXPECT_EQ(server.connect().get("/hello").status, 200); }
    server.connect().reset();
    EXPECT_TRUE(eventually([&] { return server->open_connections() == 0; }));
}

TEST(PartialHeads, are_told_when_they_took_too_long) {
    ServerOptions options;
    options.head_timeout = milliseconds(50);
    TestServer server(options);
    server.start();
    auto client = server.connect();
    client.send("GET /hello HT");
    const auto response = client.receive();
    EXPECT_EQ(response.status, 408);
    EXPECT_TRUE(response.says_close());
    EXPECT_TRUE(client.closed_by_server());
}

/// A read ends at urgent data as if there were nothing more.
TEST(PartialHeads, with_urgent_data_end_as_well) {
    ServerOptions options;
    options.head_timeout = milliseconds(50);
    TestServer server(options);
    auto client = server.connect();
    client.send("GET /hello HTTP");
    ASSERT_EQ(::send(client.fd(), "!", 1, MSG_OOB), 1);
    client.send("/1.1\r\n");
    server.start();
    EXPECT_EQ(client.receive().status, 408);
    EXPECT_TRUE(client.closed_by_server());
}

TEST(PartialHeads, cannot_gain_time_by_sending_a_byte_now_and_then) {
    ServerOptions options;
    options.head_timeout = milliseconds(100);
    TestServer server(options);
    server.start();
    auto client = server.connect();
    client.send("GET /hello HTTP/1.1\r\nX: ");
    const auto deadline = Clock::now() + test::timeout;
    while (client.is_quiet() && Clock::now() < deadline) {
        client.send("a");
        test::pass_time(milliseconds(1));
    }
    EXPECT_LT(Clock::now(), deadline) << "without the trickling it would end anyway";
    EXPECT_EQ(client.receive().status, 408);
}

TEST(PartialHeads, begin_their_time_after_the_request_before) {
    ServerOptions options;
    options.head_timeout = milliseconds(300);
    TestServer server(options);
    server.start();
    auto client = server.connect();
    client.send("GET /block HT");
    client.send("TP/1.1\r\n\r\nGET /hel");
    EXPECT_TRUE(eventually([&] { return server.blocked() == 1; }));
    const auto begun = Clock::now();
    EXPECT_TRUE(eventually([&] { return Clock::now() - begun > 2 * options.head_timeout; }));
    server.release();
    EXPECT_EQ(client.receive().body, "Released\n");
    client.send("lo HTTP/1.1\r\n\r\n");
    EXPECT_EQ(client.receive().body, "Hello\n");
}

TEST(PartialHeads, in_numbers_delay_nobody) {
    TestServer server;
    server.start();
    std::vector<RawClient> slow;
    for (int i = 0; i < 100; ++i) {
        slow.push_back(server.connect());
        slow.back().send("GET /hello HTTP/1.1\r\nHo");
    }
    EXPECT_EQ(server.connect().get("/hello").status, 200);
    for (auto& client : slow) client.send("st: a\r\n\r\n");
    for (auto& client : slow) EXPECT_EQ(client.receive().body, "Hello\n");
}

/// How long requests take that come one after the other, each on a connection of its own and with
/// `meanwhile` before it, sorted.
template <class Meanwhile>
std::vector<double> latencies_ms(const TestServer& server, int requests, Meanwhile meanwhile) {
    std::vector<double> result;
    for (int i = 0; i < requests; ++i) {
        meanwhile(static_cast<std::size_t>(i));
        const auto begun = Clock::now();
        EXPECT_EQ(server.connect().get("/hello").status, 200);
        result.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begun).count());
    }
    std::sort(result.begin(), result.end());
    return result;
}

TEST(PartialHeads, of_a_thousand_clients_leave_the_latency_of_others_unchanged) {
    const DescriptorLimit limit(4096);
    ServerOptions options;
    options.head_timeout = std::chrono::minutes(10);
    TestServer server(options);
    server.start();
    constexpr int requests = 500;
    const auto before = latencies_ms(server, requests, [](std::size_t) {});
    const auto threads = thread_count();

    std::vector<RawClient> slow;
    for (int i = 0; i < 1000; ++i) {
        slow.push_back(server.connect());
        slow.back().send("GET /hello HTTP/1.1\r\nX: ");
    }
    // Slowloris: each sends a byte from time to time, ten of them between two of our requests.
    const auto during = latencies_ms(server, requests, [&](std::size_t i) {
        for (std::size_t k = 0; k < 10; ++k) slow[(i * 10 + k) % slow.size()].send("a");
    });
    std::cout << "p50 " << before[requests / 2] << " ms, p99 " << before[requests * 99 / 100]
              << " ms; with a thousand slow clients p50 " << during[requests / 2] << " ms, p99 "
              << during[requests * 99 / 100] << " ms\n";
    EXPECT_LT(during[requests / 2], before[requests / 2] * 10 + 5);
    EXPECT_LT(during[requests * 99 / 100], 1000);
    EXPECT_TRUE(eventually([&] { return thread_count() <= threads; }));
    EXPECT_TRUE(eventually([&] { return server->open_connections() == slow.size(); }));
    slow.front().send("\r\n\r\n");
    EXPECT_EQ(slow.front().receive().body, "Hello\n");
}

TEST(SlowReaders, delay_nobody_else_and_are_given_up) {
    ServerOptions options;
    options.write_stall_timeout = milliseconds(1000);
    options.linger = milliseconds(50);
    const std::string much(std::size_t{16} << 20U, 'm');  // outlives its handlers
    TestServer server(options);
    server->Get("/much", [&](const httplib::Request&, httplib::Response& response) {
        response.set_content(much, "text/plain");
    });
    server.start();
    std::vector<RawClient> slow;
    for (int i = 0; i < 40; ++i) {
        slow.push_back(server.connect());
        slow.back().send("GET /much HTTP/1.1\r\n\r\n");
    }
    for (auto& client : slow) EXPECT_EQ(client.receive_bytes(9), "HTTP/1.1 ");
    const auto others = latencies_ms(server, 50, [](std::size_t) {});
    EXPECT_LT(others.back(), 1000) << "none waited for a slow one to be given up";
    EXPECT_TRUE(eventually([&] { return server->open_connections() == 0; }));
}

TEST(SlowBodies, of_more_clients_than_threads_delay_nobody_else) {
    ServerOptions options;
    options.threads_max = 8;
    options.body_timeout = std::chrono::seconds(5);
    TestServer server(options);
    server.start();
    std::vector<RawClient> slow;
    for (int i = 0; i < 20; ++i) {
        slow.push_back(server.connect());
        slow.back().send("POST /echo HTTP/1.1\r\nContent-Length: 10\r\n\r\n012");
    }
    EXPECT_TRUE(eventually([&] { return server->open_connections() == slow.size(); }));
    EXPECT_LT(latencies_ms(server, 20, [](std::size_t) {}).back(), 1000);
    for (auto& client : slow) client.send("3456789");
    for (auto& client : slow) EXPECT_EQ(client.receive().body, "0123456789");
}

TEST(SlowReaders, of_more_clients_than_threads_delay_nobody_else) {
    ServerOptions options;
    options.threads_max = 8;
    options.write_stall_timeout = std::chrono::seconds(60);
    const std::string much(std::size_t{16} << 20U, 'm');  // outlives its handlers
    TestServer server(options);
    server->Get("/much", [&](const httplib::Request&, httplib::Response& response) {
        response.set_content(much, "text/plain");
    });
    server.start();
    std::vector<RawClient> slow;
    for (int i = 0; i < 20; ++i) {
        slow.push_back(server.connect());
        slow.back().send("GET /much HTTP/1.1\r\n\r\n");
    }
    EXPECT_TRUE(eventually([&] { return server->open_connections() == slow.size(); }));
    EXPECT_LT(latencies_ms(server, 20, [](std::size_t) {}).back(), 10'000);
}

TEST(SlowBodies, that_are_small_need_no_thread) {
    const DescriptorLimit limit(4096);
    ServerOptions options;
    options.threads_max = 16;
    options.body_timeout = std::chrono::minutes(10);
    TestServer server(options);
    server.start();
    auto other = server.connect();
    EXPECT_EQ(other.get("/hello").status, 200);
    const auto threads = thread_count();
    std::vector<RawClient> slow;
    for (int i = 0; i < 600; ++i) {
        slow.push_back(server.connect());
        slow.back().send("POST /echo HTTP/1.1\r\nContent-Length: 10\r\n\r\n012");
    }
    EXPECT_TRUE(eventually([&] { return server->open_connections() == slow.size() + 1; }));
    EXPECT_LT(latencies_ms(server, 20, [](std::size_t) {}).back(), 1000);
    // Those that were started to spare leave when they have had something to do.
    EXPECT_TRUE(eventually([&] {
        EXPECT_EQ(other.get("/hello").status, 200);
        return thread_count() <= threads;
    }));
    for (auto& client : slow) client.send("3456789");
    for (auto& client : slow) EXPECT_EQ(client.receive().body, "0123456789");
}

/// How many clients a server with so many threads waits for in the middle of a message.
std::size_t most_waited_for(std::size_t threads_max) {
    return std::max(
               {threads_max, std::size_t{2}, std::size_t{std::thread::hardware_concurrency()}}) /
           2;
}

/// Of clients that send `begun` and then nothing, half as many as there are threads are waited for,
/// until they have sent `rest`.
void expect_half_of_the_threads_to_wait(const std::string& begun, const std::string& rest,
                                        const std::string& body) {
    ServerOptions options;
    options.threads_max = 16;
    options.body_timeout = std::chrono::minutes(10);
    options.linger = std::chrono::minutes(10);  // those that are given up can be counted
    TestServer server(options);
    server.start();
    std::vector<RawClient> slow;
    for (int i = 0; i < 600; ++i) {
        slow.push_back(server.connect());
        slow.back().send(begun);
    }
    EXPECT_TRUE(eventually([&] { return server->open_connections() == slow.size(); }));
    EXPECT_LT(latencies_ms(server, 20, [](std::size_t) {}).back(), 1000);
    const auto is_quiet = [](const RawClient& client) { return client.is_quiet(); };
    const auto waited_for = static_cast<std::ptrdiff_t>(most_waited_for(options.threads_max));
    EXPECT_TRUE(eventually(
        [&] { return std::count_if(slow.begin(), slow.end(), is_quiet) == waited_for; }));
    const auto given_up = std::partition(slow.begin(), slow.end(), is_quiet);
    for (auto client = given_up; client != slow.end(); ++client) {
        const auto response = client->receive();
        EXPECT_EQ(response.status, 408);
        EXPECT_TRUE(response.says_close());
    }
    for (auto client = slow.begin(); client != given_up; ++client) {
        client->send(rest);
        EXPECT_EQ(client->receive().body, body);
    }
}

TEST(SlowBodies, that_are_large_get_half_of_the_threads) {
    const DescriptorLimit limit(4096);
    const std::string body(100000, 'b');
    expect_half_of_the_threads_to_wait("POST /echo HTTP/1.1\r\nContent-Length: 100000\r\n\r\nbbb",
                                       body.substr(3), body);
}

TEST(SlowBodies, that_are_chunked_get_half_of_the_threads) {
    const DescriptorLimit limit(4096);
    expect_half_of_the_threads_to_wait(
        "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n012", "34\r\n0\r\n\r\n",
        "01234");
}

TEST(SlowReaders, get_half_of_the_threads) {
    const DescriptorLimit limit(4096);
    ServerOptions options;
    options.threads_max = 16;
    options.write_stall_timeout = std::chrono::minutes(10);
    options.linger = milliseconds(50);
    const std::string much(std::size_t{16} << 20U, 'm');  // outlives its handlers
    TestServer server(options);
    server->Get("/much", [&](const httplib::Request&, httplib::Response& response) {
        response.set_content_provider(much.size(), "text/plain",
                                      [&](std::size_t at, std::size_t, httplib::DataSink& sink) {
                                          const auto size = std::min(much.size() - at, 1UL << 16U);
                                          return sink.write(much.data() + at, size);
                                      });
    });
    const int send_buffer = 65536;  // of each connection: the kernel would take megabytes
    ASSERT_EQ(::setsockopt(server.listener().fd.get(), SOL_SOCKET, SO_SNDBUF, &send_buffer,
                           sizeof send_buffer),
              0);
    server.start();
    std::vector<RawClient> slow;
    for (int i = 0; i < 600; ++i) {
        slow.push_back(server.connect());
        slow.back().send("GET /much HTTP/1.1\r\n\r\n");
    }
    EXPECT_TRUE(eventually([&] { return server->counts().opened == slow.size(); }));
    EXPECT_LT(latencies_ms(server, 20, [](std::size_t) {}).back(), 1000);
    const auto waited_for = most_waited_for(options.threads_max);
    EXPECT_TRUE(eventually([&] { return server->open_connections() == waited_for; }))
        << server->open_connections();
}

TEST(BlockedHandlers, delay_nobody_else) {
    TestServer server;
    server.start();
    std::vector<RawClient> blocked;
    for (int i = 0; i < 100; ++i) {
        blocked.push_back(server.connect());
        blocked.back().send("GET /block HTTP/1.1\r\n\r\n");
    }
    auto client = server.connect();
    const auto begun = Clock::now();
    EXPECT_EQ(client.get("/hello").status, 200);
    EXPECT_LT(Clock::now() - begun, std::chrono::seconds(5)) << "usually it is some 50 ms";
    EXPECT_TRUE(eventually([&] { return server.blocked() == 100; })) << server.blocked();
    server.release();
    for (auto& other : blocked) EXPECT_EQ(other.receive().body, "Released\n");
}

/// Workers take several connections at a time; all of these are there when they begin to.
TEST(BlockedHandlers, do_not_delay_what_was_taken_together_with_them) {
    TestServer server;
    std::vector<RawClient> blocked;
    std::vector<RawClient> others;
    for (int i = 0; i < 200; ++i) {
        const bool blocks = i >= 100 && i % 10 == 0;
        auto& client = (blocks ? blocked : others).emplace_back(server.connect());
        client.send(blocks ? "GET /block HTTP/1.1\r\n\r\n" : "GET /hello HTTP/1.1\r\n\r\n");
    }
    server.start();
    for (auto& client : others) EXPECT_EQ(client.receive().body, "Hello\n");
    server.release();
    for (auto& client : blocked) EXPECT_EQ(client.receive().body, "Released\n");
}

TEST(BlockedHandlers, leave_no_threads_behind) {
    TestServer server;
    server.start();
    auto client = server.connect();
    EXPECT_EQ(client.get("/hello").status, 200);
    const auto threads = thread_count();
    std::vector<RawClient> blocked;
    for (std::size_t i = 0; i < 20; ++i) blocked.push_back(server.connect_and_block());
    EXPECT_GE(thread_count(), 20U);
    server.release();
    for (auto& other : blocked) EXPECT_EQ(other.receive().body, "Released\n");
    // Some were started to spare; they leave when they have had something to do.
    EXPECT_TRUE(eventually([&] {
        EXPECT_EQ(client.get("/hello").status, 200);
        return thread_count() <= threads;
    }));
}

TEST(BlockedHandlers, wait_in_line_beyond_the_limit_of_threads) {
    ServerOptions options;
    options.threads_max = 1;  // fewer than there are at least: that many
    TestServer server(options);
    server.start();
    std::vector<RawClient> blocked;
    for (unsigned i = 0; i < std::max(2U, std::thread::hardware_concurrency()); ++i)
        blocked.push_back(server.connect_and_block());
    auto client = server.connect();
    client.send("GET /hello HTTP/1.1\r\n\r\n");
    EXPECT_TRUE(client.is_quiet());
    server.release();
    EXPECT_EQ(client.receive().body, "Hello\n");
}

}  // namespace
}  // namespace handover::http
