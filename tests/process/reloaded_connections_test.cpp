// SPDX-License-Identifier: MIT
// Connections go on in the successor: over the channel, with what they have not read yet.

#include "process/connections_fixture.h"

namespace handover::test {
namespace {

class ReloadedConnections : public ConnectionsTest {};

TEST_F(ReloadedConnections, that_are_idle_are_answered_by_the_successor) {
    auto start = with_options(with_long_idle_timeout());
    start.listen = {"127.0.0.1:0", "[::1]:0", "unix:" + (directory_ / "http.sock").string()};
    Daemon daemon(directory_, start);
    std::vector<RawClient> clients;
    for (std::size_t i = 0; i < start.listen.size(); ++i) {
        clients.emplace_back(daemon.address(i), timeout);
        expect_still_served_by(daemon, clients.back());
    }
    EXPECT_EQ(daemon.reload().status, 0);
    await_end_of(1, daemon);
    for (auto& client : clients) expect_still_served_by(daemon, client);
    for (const int signal : {SIGUSR2, SIGHUP}) {
        daemon.signal(signal);
        daemon.await_generation(daemon.generation() + 1);
        await_end_of(daemon.generation() - 1, daemon);
        for (auto& client : clients) expect_still_served_by(daemon, client);
    }
    EXPECT_EQ(daemon.generation(), 4U);
}

TEST_F(ReloadedConnections, that_have_never_said_anything_are_answered_by_the_successor) {
    Daemon daemon(directory_, with_options(with_long_idle_timeout()));
    RawClient silent(daemon.address(), timeout);
    EXPECT_TRUE(daemon.wait_for_connections(1));
    hand_over_to_the_end(daemon);
    expect_still_served_by(daemon, silent);
}

TEST_F(ReloadedConnections, survive_ten_reloads_in_a_row) {
    Daemon daemon(directory_, with_options(with_long_idle_timeout()));
    constexpr std::int64_t count = 300;
    IdleConnections idle(daemon.address(), count);
    auto untouched = idle_clients(daemon.address(), 1);
    for (std::uint64_t number = 2; number <= 11; ++number) {
        EXPECT_EQ(daemon.reload().status, 0);
        await_end_of(number - 1, daemon);
        expect_all_answered_by(number, idle, count);
    }
    expect_still_served_by(daemon, untouched.front());
    EXPECT_GE(account_of(10, daemon)["moved"], static_cast<std::uint64_t>(count) + 1);
}

TEST_F(ReloadedConnections, with_requests_sent_ahead_get_their_answers_in_order_from_both) {
    Daemon daemon(directory_, with_options(with_long_idle_timeout()));
    const auto first = daemon.pid();
    RawClient client = start_slow_request(daemon, "3s");
    client.send(get_hello + "POST /hello HTTP/1.1\r\nHost: test\r\nContent-Length: 8\r\n\r\nhalf");
    hand_over(daemon);
    EXPECT_TRUE(client.is_quiet()) << "the slow request is not in flight any more";
    expect_answer_of(1, client);
    expect_answer_of(2, client);
    EXPECT_TRUE(client.is_quiet());
    client.send(" of " + get_hello);
    expect_answer_of(2, client);
    expect_answer_of(2, client);
    EXPECT_EQ(await_end(first), 0);
    expect_still_served_by(daemon, client);
}

TEST_F(ReloadedConnections,
       that_come_free_while_the_successor_serves_follow_with_what_was_sent_ahead) {
    Daemon daemon(directory_, with_options(with_long_idle_timeout()));
    HeldRequest held(daemon.address());
    const auto idle = idle_clients(daemon.address(), 1);
    hand_over(daemon);
    await_imports(daemon, idle.size());
    held.release(get_hello + get_hello);
    expect_answer_of(1, held.client());
    expect_answer_of(2, held.client());
    expect_answer_of(2, held.client());
    expect_still_served_by(daemon, held.client());
    EXPECT_EQ(account_of(1, daemon)["moved"], 2U);
}

TEST_F(ReloadedConnections, with_a_part_of_a_head_are_answered_when_the_rest_comes) {
    auto start = with_options(with_long_idle_timeout());
    start.listen = {"127.0.0.1:0", "unix:" + (directory_ / "http.sock").string()};
    Daemon daemon(directory_, start);
    RawClient over_tcp(daemon.address(0), timeout);
    RawClient over_unix(daemon.address(1), timeout);
    for (auto* client : {&over_tcp, &over_unix}) {
        expect_still_served_by(daemon, *client);
        client->send("GET /hel");
    }
    await_read(over_unix);
    hand_over(daemon);
    for (auto* client : {&over_tcp, &over_unix}) client->send("lo HTTP/1.1\r\nHo");
    hand_over_to_the_end(daemon);
    for (auto* client : {&over_tcp, &over_unix}) {
        EXPECT_TRUE(client->is_quiet());
        client->send("st: test\r\n\r\n");
        expect_answer_of(3, *client);
    }
}

TEST_F(ReloadedConnections, that_are_half_closed_get_the_answers_that_they_wait_for) {
    Daemon daemon(directory_, with_options(with_long_idle_timeout()));
    RawClient client = start_slow_request(daemon, "3s");
    client.send(get_hello);
    client.end_sending();
    hand_over(daemon);
    EXPECT_TRUE(client.is_quiet()) << "the slow request is not in flight any more";
    expect_answer_of(1, client);
    expect_answer_of(2, client);
    EXPECT_TRUE(client.closed_by_server());
}

TEST_F(ReloadedConnections, under_load_are_never_closed_by_a_reload) {
    Daemon daemon(directory_, with_options(with_long_idle_timeout()));
    Load keeping(daemon.address(), {"--keep-alive", "--connections", "8", "--rate", "400"});
    for (int time = 0; time < 5; ++time) {
        hand_over(daemon);
        keeping.await_answers(20);
    }
    const auto report = expect_nothing_lost(keeping);
    EXPECT_EQ(report.announced_closes, 0) << report;
    EXPECT_EQ(report.reconnects, 0) << report;
    EXPECT_EQ(report.last_generation(), 6) << report;
}

TEST_F(ReloadedConnections, whose_request_runs_at_the_drain_deadline_are_closed_and_counted) {
    Daemon daemon(directory_, with_options(with_long_idle_timeout({"--drain-timeout", "1s"})));
    auto idle = idle_clients(daemon.address(), 2);
    HeldRequest held(daemon.address());
    hand_over(daemon);
    EXPECT_TRUE(held.client().closed_by_server());
    auto account = account_of(1, daemon);
    EXPECT_EQ(account["cut_at_deadline"], 1U);
    EXPECT_EQ(account["moved"], 2U);
    EXPECT_NE(daemon.log().find(" + 1 cut at deadline; 1 connection had not finished within"),
              std::string::npos)
        << daemon.log();
    EXPECT_EQ(account_received_by(daemon), account);
    for (auto& client : idle) expect_still_served_by(daemon, client);
}

TEST_F(ReloadedConnections, are_accounted_for_to_the_last) {
    Daemon daemon(directory_, with_options(with_long_idle_timeout()));
    auto idle = idle_clients(daemon.address(), 5);
    HeldRequest finishing(daemon.address());
    HeldRequest leaving(daemon.address());
    HeldRequest last(daemon.address(), "Connection: close\r\n");
    hand_over(daemon);
    await_imports(daemon, idle.size());
    EXPECT_TRUE(daemon.status().at("arrivals").at("predecessor").is_null()) << "it still drains";
    leaving.client().reset();
    finishing.release();
    expect_answer_of(1, finishing.client());
    last.release();
    EXPECT_TRUE(last.client().receive().says_close());

    auto account = account_of(1, daemon);
    EXPECT_EQ(account["moved"], 6U);
    EXPECT_EQ(account["last_response"], 1U);
    EXPECT_EQ(account["closed_by_client"], 1U);
    EXPECT_EQ(account["held"], 8U);
    EXPECT_EQ(account_received_by(daemon), account);
    const auto imported = daemon.status().at("arrivals");
    EXPECT_EQ(imported.at("from"), 1);
    EXPECT_EQ(imported.at("by"), "reload");
    EXPECT_EQ(imported.at("adopted"), 6);
    EXPECT_EQ(imported.at("unclaimed"), 0);
    EXPECT_EQ(imported.at("unreadable"), 0);

    const auto told = run_command(daemon.command("status"), timeout);
    EXPECT_TRUE(told.ok()) << told.err;
    EXPECT_NE(told.out.find("took over 6 connections of generation 1 by reload\n"),
              std::string::npos)
        << told.out;
    const auto line = told.out.find("held 8 = ");
    ASSERT_NE(line, std::string::npos) << told.out;
    EXPECT_EQ(account_in(told.out.substr(line, told.out.find('\n', line) - line)), account);
}

TEST_F(ReloadedConnections,
       of_a_generation_that_still_drains_travel_through_the_next_to_the_newest) {
    Daemon daemon(directory_, with_options(with_long_idle_timeout()));
    std::vector<HeldRequest> held;
    constexpr std::uint64_t count = 60;
    for (std::uint64_t i = 0; i < count; ++i) held.emplace_back(daemon.address());
    hand_over(daemon);
    auto idle = idle_clients(daemon.address(), 3);
    hand_over(daemon);
    await_imports(daemon, idle.size());
    for (auto& client : idle) expect_still_served_by(daemon, client);
    EXPECT_EQ(daemon.log().find(" ended: "), std::string::npos) << "one of them did not wait";
    // With a request that is there when they arrive, so that a worker takes them at once.
    for (auto& request : held) request.release(get_hello);
    for (auto& request : held) {
        expect_answer_of(1, request.client());
        expect_answer_of(3, request.client());
    }
    EXPECT_EQ(account_of(1, daemon)["moved"], count);
    EXPECT_EQ(account_of(2, daemon)["moved"], count + idle.size());
    EXPECT_TRUE(daemon.wait_for_only({daemon.pid()}));
    for (auto& request : held) expect_still_served_by(daemon, request.client());
}

}  // namespace
}  // namespace handover::test
