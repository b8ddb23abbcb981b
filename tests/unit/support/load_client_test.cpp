// SPDX-License-Identifier: MIT
//
// The client that judges everything else must itself be right: each test is a small server that
// fails in one way, and the client has to call it by its name.

#include "support/load_client.h"

#include "support/child_process.h"
#include "support/counting_client.h"
#include "support/processes.h"
#include "support/temporary_directory.h"
#include "unit/support/tiny_server.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <atomic>
#include <csignal>
#include <future>
#include <string>

namespace handover::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Two requests on one connection at a time, unless a test says otherwise.
LoadOptions options_for(const Endpoint& target) {
    LoadOptions options;
    options.target = target;
    options.connections = 1;
    options.max_requests = 2;
    options.timeout = timeout;
    return options;
}

LoadReport run(const LoadOptions& options) {
    LoadClient client(options);
    client.run();
    return client.report();
}

LoadReport run_against(const TinyServer::Script& script, bool keep_alive = false) {
    const TinyServer server(script);
    auto options = options_for(server.endpoint());
    options.keep_alive = keep_alive;
    return run(options);
}

TEST(LoadClient, counts_answers_and_who_gave_them) {
    const auto report = run_against(answer_all);
    EXPECT_EQ(report.requests, 2);
    EXPECT_EQ(report.answered(), 2);
    EXPECT_EQ(report.failed(), 0);
    EXPECT_EQ(report.generations.at("3"), 2);
    EXPECT_EQ(report.pids.at("77"), 2);
    EXPECT_EQ(report.last_generation(), 3);
    EXPECT_GT(report.max_ms, 0);
}

TEST(LoadClient, opens_a_connection_for_each_request) {
    const auto report = run_against(answer_all);
    EXPECT_EQ(report.connections_opened, 2);
    EXPECT_EQ(report.reconnects, 0);
}

TEST(LoadClient, keeps_a_connection_open_when_asked_to) {
    const auto report = run_against(answer_all, true);
    EXPECT_EQ(report.answered(), 2);
    EXPECT_EQ(report.connections_opened, 1);
    EXPECT_EQ(report.reconnects, 0);
}

TEST(LoadClient, calls_a_refused_connection_refused) {
    // Bound, so that the port is nobody else's, but not listening.
    const UniqueFd not_listening = bound_socket(Endpoint::parse("127.0.0.1:0"));
    const auto report = run(options_for(*Endpoint::of_socket(not_listening.get())));
    EXPECT_EQ(report.count(Outcome::refused), 2);
    EXPECT_EQ(report.not_connected(), 2);
    EXPECT_EQ(report.requests, 2);
    EXPECT_EQ(report.connections_opened, 0);
    ASSERT_FALSE(report.examples.empty());
    EXPECT_EQ(report.examples[0].outcome, "refused");
}

TEST(LoadClient, calls_a_missing_unix_socket_a_failed_connect) {
    const TemporaryDirectory directory;
    const auto report = run(options_for(Endpoint::parse("unix:" + (directory / "none").string())));
    EXPECT_EQ(report.count(Outcome::connect_failed), 2);
}

TEST(LoadClient, calls_a_reset_before_an_answer_reset) {
    const auto report = run_against([](UniqueFd fd) {
        read_request(fd.get());
        close_with_reset(std::move(fd));
    });
    EXPECT_EQ(report.count(Outcome::reset), 2);
    EXPECT_EQ(report.lost_on_fresh_connection, 2);
}

TEST(LoadClient, calls_an_end_of_file_before_an_answer_closed) {
    const auto report = run_against([](UniqueFd fd) { read_request(fd.get()); });
    EXPECT_EQ(report.count(Outcome::closed), 2);
    EXPECT_EQ(report.lost_on_fresh_connection, 2);
}

TEST(LoadClient, tells_a_loss_on_a_used_connection_from_one_on_a_fresh_connection) {
    const auto report = run_against(
        [](UniqueFd fd) {
            read_request(fd.get());
            send_text(fd.get(), hello);
            read_request(fd.get());
        },
        true);
    EXPECT_EQ(report.answered(), 1);
    EXPECT_EQ(report.count(Outcome::closed), 1);
    EXPECT_EQ(report.lost_on_fresh_connection, 0);
}

TEST(LoadClient, calls_half_an_answer_partial) {
    const auto report = run_against([](UniqueFd fd) {
        read_request(fd.get());
        send_text(fd.get(), hello.substr(0, hello.size() - 1));
    });
    EXPECT_EQ(report.count(Outcome::partial), 2);
}

TEST(LoadClient, calls_an_answer_cut_by_a_reset_partial) {
    const auto report = run_against([](UniqueFd fd) {
        read_request(fd.get());
        send_text(fd.get(), "HTTP/1.1 200 OK\r\n");
        // The reset must not overtake the text: wait until the client's kernel has it.
        int unacknowledged = 1;
        while (unacknowledged > 0) {
            tcp_info info{};
            socklen_t size = sizeof info;
            ::getsockopt(fd.get(), IPPROTO_TCP, TCP_INFO, &info, &size);
            unacknowledged = static_cast<int>(info.tcpi_unacked);
        }
        close_with_reset(std::move(fd));
    });
    // A reset discards what the client has not read yet, so either is the truth.
    EXPECT_EQ(report.count(Outcome::partial) + report.count(Outcome::reset), 2);
}

TEST(LoadClient, calls_no_answer_in_time_timed_out) {
    const TinyServer server([](UniqueFd fd) {
        // Holds the connection until the client gives up.
        while (read_request(fd.get())) {
        }
    });
    auto options = options_for(server.endpoint());
    options.timeout = milliseconds(60);
    const auto report = run(options);
    EXPECT_EQ(report.count(Outcome::timed_out), 2);
}

TEST(LoadClient, calls_another_status_answered_otherwise) {
    const auto report = run_against([](UniqueFd fd) {
        while (read_request(fd.get()))
            send_text(fd.get(), "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
    });
    EXPECT_EQ(report.count(Outcome::answered_otherwise), 2);
    EXPECT_EQ(report.failed(), 2);
}

TEST(LoadClient, calls_what_is_not_http_malformed) {
    const auto report = run_against([](UniqueFd fd) {
        read_request(fd.get());
        send_text(fd.get(), "SSH-2.0-x\r\n");
        read_request(fd.get());
    });
    EXPECT_EQ(report.count(Outcome::malformed), 2);
}

TEST(LoadClient, counts_announced_closes_and_the_reconnects_after_them) {
    const auto report = run_against(
        [](UniqueFd fd) {
            read_request(fd.get());
            send_text(fd.get(), hello_and_close);
        },
        true);
    EXPECT_EQ(report.answered(), 2);
    EXPECT_EQ(report.announced_closes, 2);
    EXPECT_EQ(report.reconnects, 1);
    EXPECT_EQ(report.closed_while_idle, 0);
}

TEST(LoadClient, counts_closes_of_idle_connections_apart_from_lost_requests) {
    const auto report = run_against(
        [](UniqueFd fd) {
            read_request(fd.get());
            // With MSG_MORE the text waits for close(): answer and FIN come in one segment.
            send_text(fd.get(), hello, MSG_MORE);
        },
        true);
    EXPECT_EQ(report.answered(), 2);
    EXPECT_EQ(report.closed_while_idle, 2);
    EXPECT_EQ(report.reconnects, 1);
}

TEST(LoadClient, counts_latency_from_when_a_request_was_due) {
    std::promise<void> stall_is_over;
    auto over = stall_is_over.get_future().share();
    const TinyServer server([over](UniqueFd fd) {
        over.wait();
        answer_all(std::move(fd));
    });
    auto options = options_for(server.endpoint());
    options.rate = 1000;
    options.max_requests = 20;
    LoadClient client(options);
    const UniqueFd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    const itimerspec in_100_ms{{}, {0, 100'000'000}};
    ::timerfd_settime(timer.get(), 0, &in_100_ms, nullptr);
    client.watch(timer.get(), [&] {
        stall_is_over.set_value();
        return false;
    });
    client.run();
    // All 20 were due in the first 20 ms, and nobody was answered before 100 ms.
    EXPECT_EQ(client.report().answered(), 20);
    EXPECT_GE(client.report().p50_ms, 80);
}

TEST(LoadClient, waits_for_outstanding_answers_after_stop) {
    std::promise<void> stopped;
    auto after_stop = stopped.get_future().share();
    std::atomic<int> accepted = 0;
    const TinyServer server([&, after_stop](UniqueFd fd) {
        if (++accepted == 2) after_stop.wait();
        answer_all(std::move(fd));
    });
    auto options = options_for(server.endpoint());
    options.connections = 2;
    LoadClient client(options);
    client.on_answer([&, first = true]() mutable {
        client.stop();
        if (first) stopped.set_value();
        first = false;
    });
    client.run();
    EXPECT_EQ(client.report().answered(), 2);
}

TEST(LoadClient, sends_a_body_and_understands_chunks) {
    const TinyServer server([](UniqueFd fd) {
        read_request(fd.get());
        send_text(fd.get(), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        send_text(fd.get(), "0\r\n\r\n");
        read_request(fd.get());
    });
    auto options = options_for(server.endpoint());
    options.request.method = "POST";
    options.request.body = "text";
    EXPECT_EQ(run(options).answered(), 2);
}

TEST(LoadClient, reaches_ipv6_and_unix_sockets) {
    const TemporaryDirectory directory;
    for (const auto& where : {std::string("[::1]:0"), "unix:" + (directory / "socket").string()}) {
        const TinyServer server(answer_all, Endpoint::parse(where));
        EXPECT_EQ(run(options_for(server.endpoint())).answered(), 2) << where;
    }
}

TEST(LoadClientProgram, says_ready_awaits_answers_and_reports_when_told_to_stop) {
    const TinyServer server(answer_all);
    ChildProcess client({LOAD_CLIENT_PROGRAM, server.endpoint().to_string(), "--control",
                         "--connections", "2", "--rate", "500", "--keep-alive"});
    ASSERT_TRUE(client.wait_for_line("ready", timeout)) << client.err();
    client.write("await 20\n");
    ASSERT_TRUE(client.wait_for_line("awaited 20", timeout));
    client.signal(SIGTERM);
    const auto finished = client.wait(timeout);
    ASSERT_TRUE(finished);
    EXPECT_EQ(finished->exit_status, 0);
    const auto line = finished->out.substr(finished->out.find('{'));
    const auto report = nlohmann::json::parse(line).get<LoadReport>();
    EXPECT_GE(report.answered(), 21);
    EXPECT_EQ(report.failed(), 0);
}

TEST(LoadClientProgram, counts_so_far_while_it_goes_on) {
    const TinyServer server(answer_all);
    Load load(server.endpoint(), {"--connections", "2", "--rate", "500", "--keep-alive"});
    load.await_answers(20);
    const auto first = load.count();
    EXPECT_GE(first.answered(), 20);
    EXPECT_EQ(first.requests, first.answered());
    EXPECT_EQ(first.connections_opened, 2);
    load.await_answers(20);
    const auto second = load.count();
    EXPECT_GE(second.answered(), first.answered() + 20);
    EXPECT_GE(load.stop().answered(), second.answered()) << "the report is the last word";
}

TEST(LoadClientProgram, stops_when_its_standard_input_ends) {
    const TinyServer server(answer_all);
    ChildProcess client({LOAD_CLIENT_PROGRAM, server.endpoint().to_string(), "--control"});
    ASSERT_TRUE(client.wait_for_line("ready", timeout));
    client.close_stdin();
    const auto finished = client.wait(timeout);
    ASSERT_TRUE(finished);
    EXPECT_EQ(finished->exit_status, 0);
}

}  // namespace
}  // namespace handover::test
