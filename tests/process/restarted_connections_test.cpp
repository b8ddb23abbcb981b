// SPDX-License-Identifier: MIT
// Connections wait in the fd store for the generation after a restart; or are closed politely.

#include "process/connections_fixture.h"

#include <algorithm>
#include <memory>
#include <optional>

namespace handover::test {
namespace {

/// 20 KB: a part of a head is as much as a connection can have unread while it waits.
inline std::string large_part_of_head() {
    std::string part = "GET /hello HTTP/1.1\r\nHost: test";
    for (const char* name : {"A", "B", "C"})
        part += std::string("\r\n") + name + ": " + std::string(6'600, 'x');
    return part;
}

class RestartedConnections : public ConnectionsTest {
  protected:
    using ConnectionsTest::ConnectionsTest;
};

TEST_F(RestartedConnections, by_the_thousand_survive_a_restart) {
    std::optional<Daemon> before(std::in_place, directory_, managed(with_long_idle_timeout()));
    constexpr std::int64_t count = 2000;
    IdleConnections idle(before->address(), count);
    leave(*before);
    EXPECT_GE(account_of(1, *before)["moved"], static_cast<std::uint64_t>(count));
    EXPECT_GT(stored_channels(), 0U);
    EXPECT_EQ(idle.count(), count);

    manager_.forget_messages();
    const auto daemon = start_from_store(managed(with_long_idle_timeout()));
    ASSERT_TRUE(manager_.wait_for_message_saying("READY=1"));
    EXPECT_EQ(stored_channels(), 0U);
    expect_all_answered_by(2, idle, count);
    const auto imported = daemon->status().at("arrivals");
    EXPECT_EQ(imported.at("by"), "restart");
    EXPECT_EQ(imported.at("from"), 1);
    EXPECT_EQ(imported.at("adopted"), count);
    EXPECT_EQ(account_received_by(*daemon), account_of(1, *before));
}

TEST_F(RestartedConnections, survive_restarts_and_reloads_in_turn) {
    auto daemon = std::make_unique<Daemon>(directory_, managed(with_long_idle_timeout()));
    constexpr std::int64_t count = 100;
    IdleConnections idle(daemon->address(), count);
    for (std::uint64_t number = 2; number <= 6; number += 2) {
        hand_over_to_the_end(*daemon);
        expect_all_answered_by(number, idle, count);
        leave(*daemon);
        daemon = start_from_store(managed(with_long_idle_timeout()));
        expect_all_answered_by(number + 1, idle, count);
    }
}

TEST_F(RestartedConnections, with_requests_in_flight_survive_a_restart_after_their_answer) {
    Daemon before(directory_, managed(with_long_idle_timeout()));
    HeldRequest held(before.address());
    auto idle = idle_clients(before.address(), 1);
    auto& partial = idle.front();
    partial.send("GET /hello HTTP/1.1\r\n");
    before.signal(SIGUSR1);
    before.await_line("generation 1 leaves for a restart");
    EXPECT_TRUE(held.client().is_quiet());
    held.release();
    expect_answer_of(1, held.client());
    EXPECT_EQ(before.await_end(), 0);
    EXPECT_EQ(account_of(1, before)["moved"], 2U);
    held.client().send(get_hello);
    EXPECT_TRUE(held.client().is_quiet()) << "it waits for the next generation";

    const auto daemon = start_from_store(managed(with_long_idle_timeout()));
    expect_answer_of(2, held.client());
    expect_still_served_by(*daemon, held.client());
    partial.send("Host: test\r\n\r\n");
    expect_answer_of(2, partial);
}

TEST_F(RestartedConnections, survive_although_another_is_cut_at_the_drain_deadline) {
    const auto start = managed(with_long_idle_timeout({"--drain-timeout", "1s"}));
    Daemon before(directory_, start);
    auto idle = idle_clients(before.address(), 3);
    HeldRequest held(before.address());
    before.signal(SIGUSR1);
    EXPECT_TRUE(held.client().closed_by_server());
    EXPECT_EQ(before.await_end(), 0);
    const Account expected{{"held", 4}, {"moved", 3}, {"cut_at_deadline", 1}};
    EXPECT_EQ(account_of(1, before), expected);
    const auto daemon = start_from_store(start);
    for (auto& client : idle) expect_still_served_by(*daemon, client);
    EXPECT_EQ(account_received_by(*daemon), expected);
}

TEST_F(RestartedConnections, with_much_unread_survive_in_several_channels) {
    const auto part = large_part_of_head();
    Daemon before(directory_, managed_on_unix());
    auto clients = idle_clients(before.address(), 40);
    for (auto& client : clients) client.send(part);
    for (const auto& client : clients) await_read(client);
    leave(before);
    EXPECT_EQ(account_of(1, before)["moved"], clients.size());
    EXPECT_GT(stored_channels(), 1U);

    const auto daemon = start_from_store(managed_on_unix());
    for (auto& client : clients) client.send("\r\n\r\n");
    for (auto& client : clients) expect_answer_of(2, client);
    EXPECT_EQ(daemon->status().at("arrivals").at("adopted"), clients.size());
    EXPECT_EQ(account_received_by(*daemon), account_of(1, before));
    EXPECT_EQ(stored_channels(), 0U);
}

/// Half of them ask within the grace, half say nothing: each hears a close, and is counted.
void expect_polite_closes(std::vector<RawClient>& clients) {
    for (std::size_t i = 0; i < clients.size(); i += 2) {
        // The daemon warns of what it is about to do: it may be that it has not yet begun.
        auto response = clients[i].get("/hello");
        while (!response.says_close()) response = clients[i].get("/hello");
        EXPECT_EQ(answer_in(response).generation, 1U) << response.head;
    }
    for (auto& client : clients) EXPECT_TRUE(client.closed_by_server());
}

/// What listeners and ledger need, and no more.
class ConnectionsInAFullStore : public RestartedConnections {
  protected:
    static constexpr std::size_t listeners_and_ledger = 3;
    explicit ConnectionsInAFullStore(std::size_t fd_store_max = listeners_and_ledger)
        : RestartedConnections(fd_store_max) {}
};

TEST_F(ConnectionsInAFullStore, are_closed_politely_and_counted_as_drained) {
    Daemon daemon(directory_, managed(with_long_idle_timeout()));
    auto clients = idle_clients(daemon.address(), 6);
    daemon.signal(SIGUSR1);
    const auto line = daemon.await_line("connections do not survive this restart: ");
    EXPECT_NE(line.find("FileDescriptorStoreMax="), std::string::npos) << line;
    expect_polite_closes(clients);
    EXPECT_EQ(daemon.await_end(), 0);
    EXPECT_EQ(account_of(1, daemon), (Account{{"held", 6}, {"drained", 6}}));
    EXPECT_EQ(stored_channels(), 0U);
    EXPECT_EQ(start_from_store(managed(with_long_idle_timeout()))->ask().generation, 2U);
}

class ConnectionsWithoutAStore : public ConnectionsInAFullStore {
  protected:
    ConnectionsWithoutAStore() : ConnectionsInAFullStore(0) {}
};

TEST_F(ConnectionsWithoutAStore, are_closed_politely_and_counted_as_drained) {
    Daemon daemon(directory_, managed(with_long_idle_timeout()));
    auto clients = idle_clients(daemon.address(), 6);
    daemon.signal(SIGUSR1);
    daemon.await_line("connections do not survive this restart: ");
    expect_polite_closes(clients);
    EXPECT_EQ(daemon.await_end(), 0);
    EXPECT_EQ(account_of(1, daemon), (Account{{"held", 6}, {"drained", 6}}));
}

class ConnectionsInAStoreForOneChannel : public ConnectionsInAFullStore {
  protected:
    ConnectionsInAStoreForOneChannel() : ConnectionsInAFullStore(listeners_and_ledger + 1) {}
};

TEST_F(ConnectionsInAStoreForOneChannel, survive_if_they_are_in_it_and_are_closed_politely_if_not) {
    const auto part = large_part_of_head();
    Daemon before(directory_, managed_on_unix());
    auto clients = idle_clients(before.address(), 40);
    for (auto& client : clients) client.send(part);
    for (const auto& client : clients) await_read(client);
    before.signal(SIGUSR1);
    before.await_line(" cannot be moved: ");
    for (auto& client : clients) client.send("\r\n\r\n");
    EXPECT_EQ(before.await_end(), 0);
    EXPECT_EQ(stored_channels(), 1U);

    const auto daemon = start_from_store(managed_on_unix());
    Account expected{{"held", clients.size()}};
    for (auto& client : clients) {
        const auto response = client.receive();
        EXPECT_EQ(response.status, 200);
        const bool moved = answer_in(response).generation == 2;
        EXPECT_EQ(response.says_close(), !moved) << response.head;
        ++expected[moved ? "moved" : "drained"];
    }
    EXPECT_GT(expected["moved"], 0U);
    EXPECT_GT(expected["drained"], 0U);
    EXPECT_EQ(account_of(1, before), expected);
    EXPECT_EQ(daemon->status().at("arrivals").at("adopted"), expected["moved"]);
}

TEST_F(RestartedConnections, without_a_service_manager_are_closed_politely_before_a_restart) {
    Daemon daemon(directory_, with_options(with_long_idle_timeout()));
    auto clients = idle_clients(daemon.address(), 6);
    HeldRequest held(daemon.address());
    daemon.signal(SIGUSR1);
    daemon.await_line("generation 1 leaves for a restart");
    expect_polite_closes(clients);
    held.release();
    EXPECT_TRUE(held.client().receive().says_close());
    EXPECT_EQ(daemon.await_end(), 0);
    EXPECT_EQ(account_of(1, daemon), (Account{{"held", 7}, {"drained", 7}}));
}

TEST_F(RestartedConnections, in_a_store_that_is_emptied_are_closed_and_the_next_daemon_serves) {
    Daemon before(directory_, managed(with_long_idle_timeout()));
    auto clients = idle_clients(before.address(), 3);
    leave(before);
    EXPECT_TRUE(std::all_of(clients.begin(), clients.end(),
                            [](const RawClient& client) { return client.is_quiet(); }));
    while (stored_channels() != 0) manager_.drop_stored("channel");
    for (auto& client : clients) EXPECT_TRUE(client.closed_by_server());
    const auto daemon = start_from_store(managed(with_long_idle_timeout()));
    EXPECT_EQ(daemon->ask().generation, 2U);
    EXPECT_TRUE(daemon->status().at("arrivals").is_null());
}

// ---- restart in the middle of a reload

class ConnectionsOfTwoGenerations : public RestartedConnections {
  protected:
    static constexpr std::uint64_t in_flight = 20;
    static constexpr std::int64_t standing_idle = 100;

    ConnectionsOfTwoGenerations()
        : daemon_(directory_, managed(with_long_idle_timeout())), first_(daemon_.pid()) {
        moved_before_ = idle_clients(daemon_.address(), 2);
        for (std::uint64_t i = 0; i < in_flight; ++i) held_.emplace_back(daemon_.address());
        hand_over(daemon_);
        idle_.emplace(daemon_.address(), standing_idle);
    }

    /// All go on in that generation, the first with the request that came with its body.
    void expect_all_in(std::uint64_t number) {
        const auto next_daemon = start_from_store(managed(with_long_idle_timeout()));
        EXPECT_EQ(next_daemon->generation(), number);
        for (auto& request : held_) {
            expect_answer_of(1, request.client());
            // The second generation serves on until the store has taken its channel.
            const auto next = request.client().receive();
            EXPECT_GE(answer_in(next).generation, 2U);
            EXPECT_FALSE(next.says_close()) << next.head;
            expect_still_served_by(*next_daemon, request.client());
        }
        for (auto& client : moved_before_) expect_still_served_by(*next_daemon, client);
        expect_all_answered_by(number, *idle_, standing_idle);
        EXPECT_EQ(next_daemon->status().at("arrivals").at("adopted"),
                  in_flight + moved_before_.size() + standing_idle);
        EXPECT_EQ(stored_channels(), 0U);
    }

    void release_all() {
        for (auto& request : held_) request.release(get_hello);
    }

    Daemon daemon_;
    pid_t first_;
    std::vector<RawClient> moved_before_;
    std::vector<HeldRequest> held_;
    std::optional<IdleConnections> idle_;
};

TEST_F(ConnectionsOfTwoGenerations, survive_a_restart_of_both) {
    ASSERT_EQ(::kill(first_, SIGUSR1), 0);
    daemon_.signal(SIGUSR1);
    daemon_.await_line("generation 2 leaves for a restart");
    release_all();
    EXPECT_EQ(daemon_.await_end(), 0);
    EXPECT_EQ(await_end(first_), 0);
    account_of(1, daemon_);
    account_of(2, daemon_);
    expect_all_in(3);
}

TEST_F(ConnectionsOfTwoGenerations, survive_a_restart_on_probation_and_the_main_process_ends_last) {
    daemon_.signal(SIGUSR1);
    account_of(2, daemon_);
    EXPECT_EQ(daemon_.log().find("generation 1 ended: "), std::string::npos)
        << "it has requests in flight, and is the main process";
    release_all();
    EXPECT_EQ(await_end(first_), 0);
    account_of(1, daemon_);
    expect_all_in(3);
}

TEST_F(ConnectionsOfTwoGenerations, survive_a_restart_of_a_main_process_which_waits_for_the_first) {
    const pid_t main = daemon_.pid();
    hand_over(daemon_);  // ends the probation of the second
    daemon_.signal(SIGUSR1);
    account_of(3, daemon_);
    release_all();
    EXPECT_EQ(await_end(first_), 0);
    EXPECT_EQ(await_end(main), 0);
    EXPECT_EQ(account_of(2, daemon_)["moved"], in_flight + moved_before_.size() + standing_idle)
        << "it did not wait for what the first had in flight";
    expect_all_in(4);
}

}  // namespace
}  // namespace handover::test
