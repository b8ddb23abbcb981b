// SPDX-License-Identifier: MIT
// GET /events of the admin listener: what a page or a program sees of the service as it happens.

#include "process/connections_fixture.h"
#include "process/event_stream.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace handover::test {
namespace {

using nlohmann::json;

class Events : public ConnectionsTest {
  protected:
    /// curl writes what comes as it comes.
    static ChildProcess follow(const Daemon& daemon) {
        return ChildProcess({"curl", "--silent", "--no-buffer", "--unix-socket",
                             daemon.admin().unix_path(), "http://localhost/events"});
    }
    static std::vector<std::string> told_by(std::uint64_t generation,
                                            const std::vector<Event>& events) {
        std::vector<std::string> what;
        for (const auto& one : events)
            if (one.data().at("generation") == generation)
                what.push_back(one.data().at("what").get<std::string>());
        return what;
    }
};

TEST_F(Events, begin_with_the_status_and_are_never_stored) {
    Daemon daemon(directory_, with_options({}));
    EXPECT_TRUE(daemon.wait_for_state("serving"));
    RawClient client(daemon.admin(), timeout);
    ask_for_events(client);
    daemon.signal(SIGTERM);
    const auto response = client.receive();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.header("Content-Type"), "text/event-stream");
    EXPECT_EQ(response.header("Cache-Control"), "no-store");
    EXPECT_TRUE(response.body.starts_with("retry: 250\n\nevent: status\ndata: {")) << response.body;
    const auto events = events_in(response.body);
    EXPECT_EQ(events.at(0).id, "") << "a status is no event";
    EXPECT_EQ(events.at(0).data().at("generation"), 1);
    EXPECT_EQ(events.at(0).data().at("generations").at(0).at("number"), 1);
}

TEST_F(Events, go_on_across_handovers_and_a_client_misses_none_and_sees_none_twice) {
    Daemon daemon(directory_, with_options(with_long_idle_timeout()));
    EXPECT_TRUE(daemon.wait_for_state("serving"));
    RawClient client(daemon.admin(), timeout);
    std::optional<std::string> last = "0";
    std::vector<Event> all;
    for (int reload = 0; reload < 5; ++reload) {
        ask_for_events(client, last);
        hand_over_to_the_end(daemon);
        const auto response = client.receive();  // it ends by itself
        EXPECT_EQ(response.status, 200);
        EXPECT_FALSE(response.says_close()) << "the connection moves";
        for (auto& one : only("lifecycle", events_in(response.body))) {
            last = one.id;
            all.push_back(std::move(one));
        }
    }
    EXPECT_TRUE(daemon.wait_for_state("serving"));
    ask_for_events(client, last);
    daemon.signal(SIGTERM);
    for (auto& one : only("lifecycle", events_in(client.receive().body)))
        all.push_back(std::move(one));
    for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(all[i].id, std::to_string(i + 1));
        EXPECT_EQ(all[i].data().at("id"), i + 1);
    }
    using What = std::vector<std::string>;
    EXPECT_EQ(told_by(1, all), (What{"starting", "serving", "draining", "ended"}));
    for (std::uint64_t number = 2; number <= 5; ++number)
        EXPECT_EQ(told_by(number, all),
                  (What{"starting", "ready", "probation", "promoted", "draining", "ended"}));
}

TEST_F(Events, of_a_rollback_are_told_by_the_one_that_serves_again) {
    auto start = with_options(with_long_idle_timeout());
    start.probation = "1h";
    Daemon daemon(directory_, start);
    EXPECT_TRUE(daemon.wait_for_state("serving"));
    EXPECT_EQ(daemon.reload().status, 0);
    const auto before = daemon.log_size();
    daemon.signal(SIGKILL);
    daemon.await_rollback(before);
    RawClient client(daemon.admin(), timeout);
    ask_for_events(client, "0");
    daemon.signal(SIGTERM);
    const auto events = only("lifecycle", events_in(client.receive().body));
    const auto told = told_by(1, events);
    ASSERT_GE(told.size(), 4U);
    EXPECT_EQ(told[2], "draining");
    EXPECT_EQ(told[3], "rolled_back");
    const auto rollback = std::find_if(events.begin(), events.end(), [](const Event& one) {
        return one.data().at("what") == "rolled_back";
    });
    EXPECT_NE(rollback->data().at("text").get<std::string>().find("SIGKILL"), std::string::npos);
}

TEST_F(Events, show_a_status_that_has_changed_without_being_asked) {
    const Daemon daemon(directory_, with_options(with_long_idle_timeout()));
    EXPECT_TRUE(daemon.wait_for_state("serving"));
    auto stream = follow(daemon);
    ASSERT_TRUE(stream.wait_for_line("\"connections\":1,", timeout));
    const auto idle = idle_clients(daemon.address(), 2);
    EXPECT_TRUE(stream.wait_for_line("\"connections\":3,", timeout)) << stream.out();
}

TEST_F(Events, of_a_successor_come_from_its_predecessor_as_they_happen) {
    Daemon daemon(directory_, from_copy());
    auto stream = follow(daemon);
    ASSERT_TRUE(stream.wait_for_line("event: status", timeout));
    install_text("#!/bin/sh\nexit 3\n", std::filesystem::perms::all, program());
    EXPECT_EQ(daemon.reload().status, 1);
    const auto line = stream.wait_for_line("\"what\":\"failed\"", timeout);
    ASSERT_TRUE(line) << stream.out();
    EXPECT_NE(line->find("exited with status 3"), std::string::npos) << *line;
}

TEST_F(Events, of_a_handover_are_sent_as_they_happen_and_then_the_stream_ends) {
    Daemon daemon(directory_, with_options(with_long_idle_timeout()));
    EXPECT_TRUE(daemon.wait_for_state("serving"));
    auto stream = follow(daemon);
    ASSERT_TRUE(stream.wait_for_line("event: status", timeout));
    daemon.signal(SIGUSR2);
    ASSERT_TRUE(stream.wait_for_line("\"what\":\"starting\"", timeout)) << stream.out();
    // What comes after that is for the next generation to tell, should this one be gone before.
    const auto ended = stream.wait(timeout);
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->exit_status, 0) << "the stream ends as it should";
}

TEST_F(Events, do_not_count_as_cut_when_their_generation_ends) {
    Daemon daemon(directory_, with_options({"--drain-timeout", "30s"}));
    std::vector<RawClient> clients;
    for (int i = 0; i < 5; ++i) {
        clients.emplace_back(daemon.admin(), timeout);
        ask_for_events(clients.back());
    }
    EXPECT_TRUE(eventually([&] { return daemon.status().at("connections") == 6; }));
    daemon.signal(SIGTERM);
    const auto account = account_of(1, daemon);
    EXPECT_FALSE(account.contains("cut_at_deadline"));
    for (auto& client : clients) EXPECT_EQ(client.receive().status, 200);
}

TEST_F(Events, have_a_quarter_of_the_threads_and_who_comes_then_is_told_so) {
    Daemon daemon(directory_, with_options({"--threads", "8"}));
    {
        std::vector<ChildProcess> streams;
        for (int i = 0; i < 2; ++i) {
            streams.push_back(follow(daemon));
            ASSERT_TRUE(streams.back().wait_for_line("event: status", timeout));
        }
        const auto third = RawClient(daemon.admin(), timeout).get("/events");
        EXPECT_EQ(third.status, 503);
        EXPECT_NE(third.body.find("there are 2 streams"), std::string::npos) << third.body;
        EXPECT_EQ(daemon.reload().status, 0) << "there are threads left for others";
    }
    auto again = follow(daemon);
    EXPECT_TRUE(again.wait_for_line("event: status", timeout));
}

TEST_F(Events, begin_with_what_happens_from_now_on_when_the_last_id_is_none_of_ours) {
    Daemon daemon(directory_, with_options({}));
    EXPECT_TRUE(daemon.wait_for_state("serving"));
    for (const auto* nonsense : {"", "x", "-1", "1e3", "99999999999999999999999"}) {
        RawClient client(daemon.admin(), timeout);
        ask_for_events(client, nonsense);
        EXPECT_TRUE(client.receive_bytes(15).starts_with("HTTP/1.1 200 OK")) << nonsense;
    }
    RawClient client(daemon.admin(), timeout);
    ask_for_events(client, "x");
    daemon.signal(SIGTERM);
    const auto events = only("lifecycle", events_in(client.receive().body));
    for (const auto& one : events) EXPECT_NE(one.data().at("what"), "starting");
}

}  // namespace
}  // namespace handover::test
