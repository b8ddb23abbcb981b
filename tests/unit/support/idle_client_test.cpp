// SPDX-License-Identifier: MIT
//
// What became of connections that stood idle is for this client to tell; each test is a small
// server that lets it down in one way.

#include "support/idle_client.h"

#include "support/child_process.h"
#include "support/counting_client.h"
#include "support/pipe.h"
#include "support/processes.h"
#include "support/temporary_directory.h"
#include "unit/support/tiny_server.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sys/socket.h>

#include <atomic>
#include <future>
#include <string>
#include <vector>

namespace handover::test {
namespace {

using std::chrono::milliseconds;

IdleOptions idle_options(const Endpoint& target, std::size_t connections = 2) {
    IdleOptions options;
    options.target = target;
    options.connections = connections;
    options.timeout = timeout;
    return options;
}

/// Waits until the client has something to notice.
void await_event(const IdleClient& client) {
    ASSERT_TRUE(wait_for_input(client.fd()));
}

/// The report of one ask() to a server that answers each connection's first request, and leaves
/// the second one to `second`.
LoadReport ask_a_server_that(const std::function<void(UniqueFd)>& second,
                             milliseconds request_timeout = timeout) {
    const TinyServer server([second](UniqueFd fd) {
        if (!read_request(fd.get())) return;
        send_text(fd.get(), hello);
        if (read_request(fd.get())) second(std::move(fd));
    });
    auto options = idle_options(server.endpoint());
    options.timeout = request_timeout;
    IdleClient client(options);
    EXPECT_EQ(client.open().answered(), 2);
    return client.ask();
}

TEST(IdleClient, asks_once_on_each_connection_before_it_stands_idle) {
    std::atomic<int> requests = 0;
    const TinyServer server([&](UniqueFd fd) {
        while (read_request(fd.get())) {
            ++requests;
            send_text(fd.get(), hello);
        }
    });
    IdleClient client(idle_options(server.endpoint(), 5));
    const auto report = client.open();
    EXPECT_EQ(report.connections_opened, 5);
    EXPECT_EQ(report.answered(), 5);
    EXPECT_EQ(requests, 5);
    EXPECT_EQ(client.count(), 5U);
}

TEST(IdleClient, sends_nothing_before_it_is_told_to_when_the_first_request_is_off) {
    std::atomic<int> requests = 0;
    const TinyServer server([&](UniqueFd fd) {
        while (read_request(fd.get())) {
            ++requests;
            send_text(fd.get(), hello);
        }
    });
    auto options = idle_options(server.endpoint());
    options.first_request = false;
    IdleClient client(options);
    const auto opened = client.open();
    EXPECT_EQ(opened.connections_opened, 2);
    EXPECT_EQ(opened.requests, 0);
    EXPECT_EQ(requests, 0);
    EXPECT_EQ(client.ask().answered(), 2);
}

TEST(IdleClient, asks_on_the_same_connections_and_counts_who_answered) {
    std::atomic<int> connections = 0;
    const TinyServer server([&](UniqueFd fd) {
        ++connections;
        answer_all(std::move(fd));
    });
    IdleClient client(idle_options(server.endpoint(), 300));
    EXPECT_EQ(client.open().answered(), 300);
    for (int round = 0; round < 3; ++round) {
        const auto report = client.ask();
        EXPECT_EQ(report.requests, 300);
        EXPECT_EQ(report.answered(), 300);
        EXPECT_EQ(report.connections_opened, 0);
        EXPECT_EQ(report.generations.at("3"), 300);
        EXPECT_EQ(report.pids.at("77"), 300);
        EXPECT_GT(report.p50_ms, 0);
        EXPECT_GE(report.max_ms, report.p99_ms);
    }
    EXPECT_EQ(connections, 300);
}

TEST(IdleClient, calls_an_end_of_file_before_an_answer_closed) {
    const auto report = ask_a_server_that([](const UniqueFd&) {});
    EXPECT_EQ(report.requests, 2);
    EXPECT_EQ(report.count(Outcome::closed), 2);
}

TEST(IdleClient, calls_a_reset_before_an_answer_reset) {
    const auto report = ask_a_server_that([](UniqueFd fd) { close_with_reset(std::move(fd)); });
    EXPECT_EQ(report.count(Outcome::reset), 2);
}

TEST(IdleClient, calls_half_an_answer_partial) {
    const auto report = ask_a_server_that(
        [](const UniqueFd& fd) { send_text(fd.get(), hello.substr(0, hello.size() - 1)); });
    EXPECT_EQ(report.count(Outcome::partial), 2);
}

TEST(IdleClient, calls_no_answer_in_time_timed_out) {
    const auto report =
        ask_a_server_that([](const UniqueFd& fd) { read_request(fd.get()); }, milliseconds(300));
    EXPECT_EQ(report.count(Outcome::timed_out), 2);
}

TEST(IdleClient, calls_another_status_answered_otherwise) {
    const auto report = ask_a_server_that([](const UniqueFd& fd) {
        send_text(fd.get(), "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
        read_request(fd.get());
    });
    EXPECT_EQ(report.count(Outcome::answered_otherwise), 2);
}

TEST(IdleClient, closes_after_an_announced_close_and_asks_there_no_more) {
    const TinyServer server([](UniqueFd fd) {
        read_request(fd.get());
        send_text(fd.get(), hello);
        read_request(fd.get());
        send_text(fd.get(), hello_and_close);
        EXPECT_FALSE(read_request(fd.get()));
    });
    IdleClient client(idle_options(server.endpoint()));
    EXPECT_EQ(client.open().answered(), 2);
    const auto report = client.ask();
    EXPECT_EQ(report.answered(), 2);
    EXPECT_EQ(report.announced_closes, 2);
    EXPECT_EQ(report.closed_while_idle, 0);
    EXPECT_EQ(client.count(), 0U);
    EXPECT_EQ(client.ask().requests, 0);
}

TEST(IdleClient, notices_idle_connections_that_end_and_never_opens_them_again) {
    std::promise<void> told;
    auto close_one = told.get_future().share();
    std::atomic<int> connections = 0;
    const TinyServer server([&, close_one](UniqueFd fd) {
        const int number = ++connections;
        read_request(fd.get());
        send_text(fd.get(), hello);
        close_one.wait();
        if (number == 1) return;
        if (number == 2) return close_with_reset(std::move(fd));
        answer_all(std::move(fd));
    });
    IdleClient client(idle_options(server.endpoint(), 3));
    EXPECT_EQ(client.open().answered(), 3);
    EXPECT_EQ(client.count(), 3U);
    told.set_value();
    while (client.count() > 1) await_event(client);
    const auto report = client.ask();
    EXPECT_EQ(report.closed_while_idle, 2);
    EXPECT_EQ(report.requests, 1);
    EXPECT_EQ(report.answered(), 1);
    EXPECT_EQ(connections, 3);
}

TEST(IdleClient, calls_a_refused_connection_refused) {
    const UniqueFd not_listening = bound_socket(Endpoint::parse("127.0.0.1:0"));
    IdleClient client(idle_options(*Endpoint::of_socket(not_listening.get())));
    const auto report = client.open();
    EXPECT_EQ(report.count(Outcome::refused), 2);
    EXPECT_EQ(client.count(), 0U);
}

TEST(IdleClient, reaches_ipv6_and_unix_sockets_whose_backlog_is_full_at_times) {
    const TemporaryDirectory directory;
    for (const auto& where : {std::string("[::1]:0"), "unix:" + (directory / "socket").string()}) {
        const TinyServer server(answer_all, Endpoint::parse(where));
        IdleClient client(idle_options(server.endpoint(), 300));  // a backlog holds 128
        EXPECT_EQ(client.open().answered(), 300) << where;
        EXPECT_EQ(client.ask().answered(), 300) << where;
    }
}

TEST(IdleClient, sends_a_body_that_does_not_fit_into_the_socket) {
    const std::string body(8 << 20, 'x');
    const TinyServer server([&](UniqueFd fd) {
        std::string text;
        std::vector<char> buffer(65536);
        while (text.size() < body.size() || !text.ends_with(body)) {
            const ssize_t count = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
            if (count <= 0) return;
            text.append(buffer.data(), static_cast<std::size_t>(count));
        }
        send_text(fd.get(), hello);
        read_request(fd.get());
    });
    auto options = idle_options(server.endpoint());
    options.request.method = "POST";
    options.request.body = body;
    IdleClient client(options);
    EXPECT_EQ(client.open().answered(), 2);
}

TEST(IdleClientProgram, asks_counts_and_stops_when_told_to) {
    std::atomic<int> connections = 0;
    const TinyServer server([&](UniqueFd fd) {
        const bool closes = ++connections == 1;
        for (int requests = 1; read_request(fd.get()); ++requests) {
            send_text(fd.get(), hello);
            if (closes && requests == 2) return;
        }
    });
    IdleConnections idle(server.endpoint(), 10);
    EXPECT_EQ(idle.count(), 10);
    const auto first = idle.ask();
    const auto second = idle.ask();
    EXPECT_EQ(first.answered(), 10);
    EXPECT_EQ(second.answered(), 9);
    // The close comes with the first round's answer, or after it, or meets the second question.
    EXPECT_EQ(first.closed_while_idle + second.closed_while_idle + second.failed(), 1);
    EXPECT_EQ(idle.count(), 9);
    idle.stop();
}

TEST(IdleClientProgram, ends_when_its_standard_input_does) {
    const TinyServer server(answer_all);
    ChildProcess client({IDLE_CLIENT_PROGRAM, server.endpoint().to_string()});
    ASSERT_TRUE(client.wait_for_line("ready", timeout)) << client.err();
    client.close_stdin();
    const auto finished = client.wait(timeout);
    ASSERT_TRUE(finished);
    EXPECT_EQ(finished->exit_status, 0);
}

TEST(IdleClientProgram, fails_when_not_all_connections_can_be_opened) {
    const UniqueFd not_listening = bound_socket(Endpoint::parse("127.0.0.1:0"));
    const auto target = Endpoint::of_socket(not_listening.get())->to_string();
    const auto finished = run_command({IDLE_CLIENT_PROGRAM, target}, timeout);
    EXPECT_EQ(finished.exit_status, 1);
    EXPECT_NE(finished.err.find("8 refused"), std::string::npos) << finished.err;
}

}  // namespace
}  // namespace handover::test
