// SPDX-License-Identifier: MIT
// A handover between this version and one that speaks an older protocol version: an upgrade of the
// program, and the way back. Version 1 knows nothing of connections that move, version 2 nothing of
// probation.

#include "process/connections_fixture.h"

namespace handover::test {
namespace {

class ProtocolVersion : public ConnectionsTest {
  protected:
    /// The peer, which starts a handoverd on the listener that it has bound.
    static DaemonOptions before_handoverd(const char* peer) {
        auto start = with_options(with_long_idle_timeout());
        start.listen = {};
        start.process.executable = peer;
        return start;
    }

    static void expect_nothing_unexpected(Daemon& daemon) {
        EXPECT_EQ(daemon.log().find("unexpected: "), std::string::npos) << daemon.log();
    }
};

TEST_F(ProtocolVersion, successor_of_version_1_takes_over_and_is_sent_nothing_else) {
    Daemon daemon(directory_, from_copy(with_long_idle_timeout()));
    const auto first = daemon.pid();
    auto idle = idle_clients(daemon.address(), 6);
    HeldRequest held(daemon.address());
    install(PROTOCOL_1_PEER_PROGRAM, program());
    hand_over(daemon);
    EXPECT_EQ(daemon.ask().body, "version 1\n");
    EXPECT_EQ(daemon.ask().pid, daemon.pid());
    daemon.await_line("the channel has ended");

    // Half of them ask within the grace; of the others nobody hears.
    for (std::size_t i = 0; i < idle.size(); i += 2) {
        const auto response = idle[i].get("/hello");
        EXPECT_EQ(answer_in(response).pid, first) << response.head;
        EXPECT_TRUE(response.says_close()) << response.head;
    }
    EXPECT_TRUE(held.client().is_quiet()) << "it is not in flight any more";
    held.release();
    const auto response = held.client().receive();
    EXPECT_EQ(answer_in(response).pid, first) << response.head;
    EXPECT_TRUE(response.says_close()) << response.head;
    for (auto& client : idle) EXPECT_TRUE(client.closed_by_server());
    EXPECT_TRUE(held.client().closed_by_server());
    EXPECT_EQ(await_end(first), 0);
    EXPECT_EQ(account_of(1, daemon), (Account{{"held", 7}, {"drained", 7}}));
    EXPECT_EQ(daemon.ask().pid, daemon.pid());
    expect_nothing_unexpected(daemon);
}

TEST_F(ProtocolVersion, predecessor_of_version_1_hands_over_and_answers_what_it_holds) {
    Daemon daemon(directory_, before_handoverd(PROTOCOL_1_PEER_PROGRAM));
    const auto peer = daemon.pid();
    EXPECT_EQ(daemon.generation(), 4U);
    RawClient old(daemon.address(), timeout);
    old.send("GET /hello HTTP/1.1\r\n");
    daemon.await_line("generation 4 has said go");
    const auto address = daemon.address();
    daemon.await_orphan(1);  // the peer has no ledger to give it
    EXPECT_EQ(daemon.address(), address);
    EXPECT_EQ(daemon.ask().pid, daemon.pid());
    EXPECT_TRUE(old.is_quiet());
    old.send("Host: test\r\n\r\n");
    EXPECT_EQ(answer_in(old.receive()).pid, peer);
    EXPECT_EQ(await_end(peer), 0);
    EXPECT_TRUE(old.closed_by_server());
    expect_nothing_unexpected(daemon);

    const auto imported = daemon.status().at("arrivals");
    EXPECT_EQ(imported.at("from"), 4);
    EXPECT_EQ(imported.at("adopted"), 0);
    EXPECT_EQ(imported.at("unreadable"), 0);
    EXPECT_TRUE(imported.at("predecessor").is_null()) << "version 1 does not say";
    EXPECT_EQ(daemon.log().find("warning"), std::string::npos) << daemon.log();
}

TEST_F(ProtocolVersion, generation_after_a_predecessor_of_version_1_moves_its_connections) {
    auto start = before_handoverd(PROTOCOL_1_PEER_PROGRAM);
    Daemon daemon(directory_, start);
    RawClient old(daemon.address(), timeout);
    old.send("GET /hello HTTP/1.1\r\n");
    daemon.await_line("generation 4 has said go");
    daemon.await_orphan(1);
    auto idle = idle_clients(daemon.address(), 3);
    // While the peer still drains.
    hand_over_to_the_end(daemon);
    for (auto& client : idle) expect_still_served_by(daemon, client);
    old.send("Host: test\r\n\r\n");
    EXPECT_EQ(answer_in(old.receive()).generation, 4U);
    expect_nothing_unexpected(daemon);
}

TEST_F(ProtocolVersion, successor_of_version_2_is_sent_connections_and_is_not_on_probation) {
    Daemon daemon(directory_, from_copy(with_long_idle_timeout()));
    const auto first = daemon.pid();
    auto idle = idle_clients(daemon.address(), 6);
    HeldRequest held(daemon.address());
    install(PROTOCOL_2_PEER_PROGRAM, program());
    hand_over(daemon);
    daemon.await_line("has 6 connections");
    for (auto& client : idle) {
        const auto response = client.get("/hello");
        EXPECT_EQ(response.body, "version 2\n");
        EXPECT_EQ(answer_in(response).pid, daemon.pid()) << response.head;
    }
    held.release();
    EXPECT_EQ(answer_in(held.client().receive()).pid, first);
    daemon.await_line("has 7 connections");
    EXPECT_EQ(held.client().get("/hello").body, "version 2\n");
    EXPECT_EQ(await_end(first), 0) << "nobody has to be watched";
    EXPECT_EQ(account_of(1, daemon), (Account{{"held", 7}, {"moved", 7}}));
    daemon.await_line("the channel has ended");
    expect_nothing_unexpected(daemon);
}

TEST_F(ProtocolVersion, predecessor_of_version_2_hands_over_its_connection_and_its_rank) {
    Daemon daemon(directory_, before_handoverd(PROTOCOL_2_PEER_PROGRAM));
    const auto peer = daemon.pid();
    RawClient old(daemon.address(), timeout);
    old.send("GET /hello HTTP/1.1\r\n");
    daemon.await_line("generation 4 has said go");
    daemon.await_orphan(1);  // the peer has no ledger to give it
    EXPECT_EQ(await_end(peer), 0);
    old.send("Host: test\r\n\r\n");
    EXPECT_EQ(answer_in(old.receive()).pid, daemon.pid());
    EXPECT_EQ(daemon.status().at("state"), "serving");
    await_imports(daemon, 1);
    hand_over_to_the_end(daemon);
    expect_still_served_by(daemon, old);
    expect_nothing_unexpected(daemon);
}

}  // namespace
}  // namespace handover::test
