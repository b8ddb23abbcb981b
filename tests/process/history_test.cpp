// SPDX-License-Identifier: MIT
// What /status tells about the generations of a service and the handovers between them.

#include "process/connections_fixture.h"
#include "support/listening.h"

#include <chrono>
#include <csignal>
#include <optional>

namespace handover::test {
namespace {

using nlohmann::json;

class History : public ConnectionsTest {
  protected:
    [[nodiscard]] static DaemonOptions with_probation(DaemonOptions start) {
        start.probation = "1h";
        return start;
    }

    /// "2 serving, 1 draining": newest first.
    static std::string roles_in(const json& status) {
        std::string roles;
        for (const auto& one : status.at("generations"))
            roles += (roles.empty() ? "" : ", ") + std::to_string(one.at("number").get<int>()) +
                     " " + one.at("role").get<std::string>();
        return roles;
    }
    static void expect_roles(const Daemon& daemon, const std::string& expected) {
        EXPECT_TRUE(eventually([&] { return roles_in(daemon.status()) == expected; }))
            << roles_in(daemon.status()) << " instead of " << expected;
    }
    /// The last handover: "reload ok 1 2".
    static std::string last_in(const json& status) {
        const auto last = status.at("history").at(0);
        return last.at("kind").get<std::string>() + " " + last.at("result").get<std::string>() +
               " " + last.at("from").dump() + " " + last.at("to").dump();
    }
    static std::vector<std::string> sources_in(const json& status) {
        std::vector<std::string> sources;
        for (const auto& one : status.at("listeners"))
            sources.push_back(one.at("source").get<std::string>());
        return sources;
    }
    static std::uint64_t sum_of(const json& endings) {
        return std::accumulate(
            endings.begin(), endings.end(), std::uint64_t{0},
            [](std::uint64_t sum, const json& one) { return sum + one.get<std::uint64_t>(); });
    }
};

TEST_F(History, begins_with_a_start) {
    const Daemon daemon(directory_, with_options({}));
    EXPECT_TRUE(daemon.wait_for_state("serving"));
    const auto status = daemon.status();
    EXPECT_EQ(last_in(status), "start ok null 1");
    EXPECT_GE(status.at("history").at(0).at("duration_ms"), 0);
    EXPECT_EQ(status.at("history").at(0).at("reason"), "");
    ASSERT_EQ(status.at("generations").size(), 1U);
    const auto one = status.at("generations").at(0);
    EXPECT_EQ(one.at("number"), 1);
    EXPECT_EQ(one.at("pid"), daemon.pid());
    EXPECT_EQ(one.at("version"), HANDOVERD_VERSION);
    EXPECT_EQ(one.at("role"), "serving");
    EXPECT_EQ(one.at("state"), "serving");
    EXPECT_EQ(one.at("by"), "start");
    EXPECT_TRUE(eventually([&] {
        return daemon.status().at("generations").at(0).at("connections") == 1;
    })) << "only the one that asks is left";
    for (const auto* nothing : {"from", "ended_at_ms", "drain_ends_at_ms", "account"})
        EXPECT_TRUE(one.at(nothing).is_null()) << nothing;
    EXPECT_LE(one.at("started_at_ms"), one.at("ready_at_ms"));
    EXPECT_LE(one.at("ready_at_ms"), status.at("now_ms"));
}

TEST_F(History, tells_who_drains_with_what_and_how_long_until_it_has_ended) {
    Daemon daemon(directory_, with_options(with_long_idle_timeout({"--drain-timeout", "1h"})));
    HeldRequest held(daemon.address());
    auto idle = idle_clients(daemon.address(), 3);
    const auto first = daemon.pid();
    EXPECT_EQ(daemon.reload().status, 0);
    await_imports(daemon, 3);
    expect_roles(daemon, "2 probation, 1 draining");
    const auto counts = [&] { return daemon.status().at("generations").at(1); };
    EXPECT_TRUE(eventually([&] {
        return counts().at("endings").at("moved") == 3 && counts().at("connections") == 1;
    })) << counts();
    const auto status = daemon.status();
    EXPECT_EQ(last_in(status), "reload running 1 2");
    const auto draining = status.at("generations").at(1);
    EXPECT_EQ(draining.at("pid"), first);
    EXPECT_EQ(draining.at("opened").get<std::uint64_t>(), 1 + sum_of(draining.at("endings")));
    const auto left = draining.at("drain_ends_at_ms").get<std::int64_t>() -
                      status.at("now_ms").get<std::int64_t>();
    EXPECT_GT(left, 3'500'000) << "an hour, and a little less";
    EXPECT_LE(left, 3'600'000);
    EXPECT_EQ(status.at("generations").at(0).at("by"), "reload");
    EXPECT_EQ(status.at("generations").at(0).at("from"), 1);

    held.release();
    expect_answer_of(1, held.client());
    expect_roles(daemon, "2 serving, 1 ended");
    const auto after = daemon.status();
    EXPECT_EQ(last_in(after), "reload ok 1 2");
    const auto ended = after.at("generations").at(1);
    const auto line = await_end_of(1, daemon);
    EXPECT_TRUE(line.ends_with(ended.at("account").get<std::string>())) << line << ended;
    EXPECT_EQ(ended.at("connections"), 0);
    EXPECT_TRUE(ended.at("drain_ends_at_ms").is_null());
    EXPECT_GE(ended.at("ended_at_ms"), ended.at("ready_at_ms"));
}

TEST_F(History, tells_of_a_successor_that_was_rolled_back) {
    Daemon daemon(directory_, with_probation(with_options(with_long_idle_timeout())));
    EXPECT_EQ(daemon.reload().status, 0);
    expect_roles(daemon, "2 probation, 1 draining");
    const auto before = daemon.log_size();
    daemon.signal(SIGKILL);
    daemon.await_rollback(before);
    expect_roles(daemon, "2 crashed, 1 serving");
    const auto status = daemon.status();
    EXPECT_EQ(last_in(status), "reload rolled_back 1 2");
    const auto reason = status.at("history").at(0).at("reason").get<std::string>();
    EXPECT_NE(reason.find("died of SIGKILL"), std::string::npos) << reason;
    EXPECT_TRUE(status.at("generations").at(0).at("ended_at_ms").is_null()) << "nobody knows";
    EXPECT_TRUE(status.at("generations").at(1).at("drain_ends_at_ms").is_null());
}

TEST_F(History, tells_why_a_successor_never_served_and_does_not_list_it) {
    Daemon daemon(directory_, from_copy());
    install_text("#!/bin/sh\nexit 3\n", std::filesystem::perms::all, program());
    EXPECT_EQ(daemon.reload().status, 1);
    const auto status = daemon.status();
    EXPECT_EQ(last_in(status), "reload failed 1 null");
    const auto reason = status.at("history").at(0).at("reason").get<std::string>();
    EXPECT_NE(reason.find("exited with status 3"), std::string::npos) << reason;
    EXPECT_EQ(roles_in(status), "1 serving");
}

TEST_F(History, says_that_a_handover_goes_on_while_the_successor_starts) {
    Daemon daemon(directory_, from_copy());
    install_one_that_stops_itself();
    auto reload = daemon.start_reload();
    EXPECT_TRUE(eventually([&] { return last_in(daemon.status()) == "reload running 1 null"; }));
    EXPECT_EQ(roles_in(daemon.status()), "1 serving") << "it is no generation of ours yet";
    EXPECT_EQ(daemon.status().at("generations").at(0).at("state"), "handing over");
    std::optional<Finished> told;
    EXPECT_TRUE(eventually([&] {  // it may not have stopped yet
        continue_others(daemon);
        told = reload.wait(std::chrono::milliseconds(20));
        return told.has_value();
    }));
    ASSERT_TRUE(told);
    EXPECT_EQ(told->exit_status, 0) << told->err;
}

TEST_F(History, goes_on_over_a_restart) {
    Daemon before(directory_, managed(with_long_idle_timeout()));
    EXPECT_TRUE(before.wait_for_state("serving"));
    leave(before);
    const auto daemon = start_from_store(managed(with_long_idle_timeout()));
    expect_roles(*daemon, "2 serving, 1 ended");
    const auto status = daemon->status();
    EXPECT_EQ(last_in(status), "restart ok 1 2");
    EXPECT_GE(status.at("history").at(0).at("duration_ms"), 0) << "in which nobody accepted";
    EXPECT_EQ(status.at("generations").at(0).at("by"), "restart");
    EXPECT_EQ(status.at("generations").at(0).at("from"), 1);
    EXPECT_EQ(status.at("history").size(), 2U);
}

TEST_F(History, goes_on_over_a_crash) {
    const auto before = std::make_unique<Daemon>(directory_, managed(with_long_idle_timeout()));
    EXPECT_TRUE(before->wait_for_state("serving"));
    before->signal(SIGKILL);
    EXPECT_EQ(before->await_end(), -SIGKILL);
    const auto daemon = start_from_store(managed(with_long_idle_timeout()));
    expect_roles(*daemon, "2 serving, 1 crashed");
    const auto status = daemon->status();
    EXPECT_EQ(last_in(status), "crash ok 1 2");
    EXPECT_TRUE(status.at("history").at(0).at("duration_ms").is_null()) << "nobody knows";
    EXPECT_EQ(status.at("generations").at(0).at("by"), "crash");
    EXPECT_EQ(status.at("generations").at(1).at("connections"), 0);
}

TEST_F(History, of_a_predecessor_that_dies_in_a_reload_says_so) {
    Daemon daemon(directory_, with_probation(with_options(with_long_idle_timeout())));
    const auto first = daemon.pid();
    EXPECT_EQ(daemon.reload().status, 0);
    expect_roles(daemon, "2 probation, 1 draining");
    ::kill(first, SIGKILL);
    expect_roles(daemon, "2 serving, 1 crashed");
    const auto status = daemon.status();
    EXPECT_EQ(last_in(status), "crash ok 1 2");
    EXPECT_EQ(status.at("history").at(1).at("result"), "failed");
    EXPECT_NE(status.at("history").at(1).at("reason").get<std::string>().find("without a word"),
              std::string::npos);
}

TEST_F(History, has_sixteen_generations_and_all_handovers_of_many_reloads) {
    Daemon daemon(directory_, with_options({}));
    for (std::uint64_t number = 2; number <= 20; ++number) hand_over_to_the_end(daemon);
    EXPECT_TRUE(daemon.wait_for_state("serving"));
    const auto status = daemon.status();
    ASSERT_EQ(status.at("generations").size(), 16U);
    EXPECT_EQ(status.at("generations").at(0).at("number"), 20);
    EXPECT_EQ(status.at("generations").at(15).at("number"), 5);
    ASSERT_EQ(status.at("history").size(), 20U);
    for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(status.at("history").at(i).at("id"), 20 - i);
}

TEST_F(History, listeners_are_told_by_where_they_came_from) {
    const ListeningSocket unit("127.0.0.1:0");
    auto start = managed(with_long_idle_timeout());
    start.listen = {unit.endpoint().to_string(), "unix:" + (directory_ / "own").string()};
    start.process.inherited = {{"http", unit.fd()}};
    auto daemon = std::make_unique<Daemon>(directory_, start);
    using Sources = std::vector<std::string>;
    EXPECT_EQ(sources_in(daemon->status()), (Sources{"socket unit", "bound", "bound"}));
    EXPECT_EQ(daemon->reload().status, 0);
    EXPECT_EQ(sources_in(daemon->status()), (Sources{"predecessor", "predecessor", "predecessor"}));
    EXPECT_TRUE(daemon->wait_for_state("serving"));
    leave(*daemon);
    daemon = start_from_store(start);
    EXPECT_EQ(sources_in(daemon->status()), (Sources{"socket unit", "fd store", "fd store"}));
}

}  // namespace
}  // namespace handover::test
