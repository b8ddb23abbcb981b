// SPDX-License-Identifier: MIT
// A successor that is ready is not yet trusted: the generation before it watches it, and takes over
// again should it die.

#include "process/connections_fixture.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <cstring>

namespace handover::test {
namespace {

using Message = FakeServiceManager::Message;

class Probation : public ConnectionsTest {
  protected:
    static constexpr const char* for_ever = "1h";

    static DaemonOptions with_probation(const std::string& time, DaemonOptions start) {
        start.probation = time;
        return start;
    }
    [[nodiscard]] static DaemonOptions without_manager(const std::string& time = for_ever) {
        return with_probation(time, with_options(with_long_idle_timeout()));
    }
    [[nodiscard]] DaemonOptions with_manager(const std::string& time = for_ever) const {
        return with_probation(time, managed(with_long_idle_timeout()));
    }

    /// Kills the successor and waits until the generation before it has noticed; what it says.
    static std::string kill_successor(Daemon& daemon, int number = SIGKILL) {
        const auto before = daemon.log_size();
        daemon.signal(number);
        return daemon.await_rollback(before);
    }

    static void expect_served_by(const Daemon& daemon, pid_t pid, std::uint64_t generation) {
        const auto answer = daemon.ask();
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.pid, pid);
        EXPECT_EQ(answer.generation, generation);
    }

    std::size_t count_of(const std::string& assignment) {
        const auto all = manager_.messages();
        return static_cast<std::size_t>(std::count_if(
            all.begin(), all.end(), [&](const Message& m) { return m.says(assignment); }));
    }
    [[nodiscard]] bool was_told(const std::string& assignment) {
        return manager_.wait_for_message_saying(assignment).has_value();
    }
};

// ---- rollback

TEST_F(Probation, successor_that_dies_in_it_is_rolled_back_and_nobody_is_refused) {
    Daemon daemon(directory_, without_manager());
    const auto old = daemon.pid();
    Load fresh(daemon.address(), {"--connections", "4", "--rate", "400"});
    std::uint64_t next = 2;
    for (const int number : {SIGKILL, SIGABRT}) {
        daemon.signal(SIGUSR2);
        daemon.await_orphan(next);
        fresh.await_answers(10);
        const auto line = kill_successor(daemon, number);
        EXPECT_NE(line.find("error"), std::string::npos) << line;
        EXPECT_NE(line.find(std::string("died of SIG") + ::sigabbrev_np(number)), std::string::npos)
            << line;
        EXPECT_NE(line.find("; generation 1 serves again"), std::string::npos) << line;
        expect_served_by(daemon, old, 1);
        EXPECT_TRUE(daemon.wait_for_only({old})) << "something of it is left";
        fresh.await_answers(10);
        ++next;  // a number is not given twice
    }
    const auto status = daemon.status();
    EXPECT_EQ(status.at("state"), "serving");
    EXPECT_TRUE(status.at("last_handover").get<std::string>().starts_with("rolled back: "));

    const auto report = fresh.stop();
    EXPECT_EQ(report.not_connected(), 0) << report;
    EXPECT_LE(report.failed(), 2 * 4) << "only what was inside the dead process" << report;
    daemon.signal(SIGUSR2);
    daemon.await_orphan(next);
    expect_served_by(daemon, daemon.pid(), next);
}

TEST_F(Probation, what_a_dead_successor_had_not_taken_stays_and_the_rest_is_counted) {
    Daemon daemon(directory_, without_manager());
    auto held = std::vector<HeldRequest>();
    for (int i = 0; i < 5; ++i) held.emplace_back(daemon.address());
    auto idle = idle_clients(daemon.address(), 20);
    hand_over(daemon);
    await_imports(daemon, idle.size());
    const auto line = kill_successor(daemon);
    EXPECT_NE(line.find("20 connections went down with it"), std::string::npos) << line;
    for (auto& client : idle) EXPECT_TRUE(client.closed_by_server());
    for (auto& request : held) {
        request.release(get_hello);
        expect_answer_of(1, request.client());
        expect_answer_of(1, request.client());
    }
}

TEST_F(Probation, connections_on_their_way_to_a_dead_successor_come_back) {
    Daemon daemon(directory_, without_manager());
    constexpr std::int64_t count = 200;
    IdleConnections idle(daemon.address(), count);
    daemon.signal(SIGUSR2);
    // At some moment of the move: before, in the middle or after it.
    daemon.await_orphan(2);
    const auto line = kill_successor(daemon);
    auto report = idle.ask();
    EXPECT_EQ(report.generations["1"], report.answered()) << report;
    const auto lost = count - report.answered();
    const auto said = lost == 0 ? "no connection " : std::to_string(lost) + " connection";
    EXPECT_NE(line.find("; " + said), std::string::npos) << lost << " were lost: " << line;
}

TEST_F(Probation, lasts_as_long_as_something_is_in_flight) {
    Daemon daemon(directory_, with_manager("0s"));
    const auto old = daemon.pid();
    HeldRequest held(daemon.address());
    hand_over(daemon);
    EXPECT_EQ(count_of("MAINPID=" + std::to_string(daemon.pid())), 0U);
    kill_successor(daemon);
    expect_served_by(daemon, old, 1);
    held.release();
    expect_answer_of(1, held.client());
}

TEST_F(Probation, successor_that_hangs_is_rolled_back_when_it_should_become_the_main_process) {
    auto start = without_manager("100ms");
    start.options.insert(start.options.end(), {"--ready-timeout", "2s"});
    Daemon daemon(directory_, start);
    const auto old = daemon.pid();
    hand_over(daemon);
    const auto before = daemon.log_size();
    daemon.signal(SIGSTOP);
    const auto line = daemon.await_rollback(before);
    EXPECT_NE(line.find("did not say that it is well within 2000 ms"), std::string::npos) << line;
    expect_served_by(daemon, old, 1);
    EXPECT_TRUE(daemon.wait_for_only({old}));
}

TEST_F(Probation, successor_that_dies_after_it_is_gone_for_good) {
    Daemon daemon(directory_, without_manager("0s"));
    const auto old = daemon.pid();
    hand_over(daemon);
    EXPECT_EQ(await_end(old), 0);
    daemon.signal(SIGKILL);
    EXPECT_EQ(daemon.await_end(), -SIGKILL);
    EXPECT_TRUE(refuses(daemon.address())) << "without a service manager nobody is left";
}

// ---- what the reload command says

TEST_F(Probation, plain_reload_returns_at_ready) {
    Daemon daemon(directory_, without_manager());
    EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_EQ(daemon.status().at("state"), "serving on probation");
    EXPECT_EQ(daemon.log().find(" ended: "), std::string::npos);
}

TEST_F(Probation, reload_that_waits_returns_after_it) {
    Daemon daemon(directory_, without_manager("300ms"));
    const auto begun = std::chrono::steady_clock::now();
    const auto told = daemon.reload({"--wait"});
    EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(300));
    EXPECT_EQ(told.status, 0) << told.err;
    EXPECT_NE(told.out.find("generation 2 is the main process"), std::string::npos) << told.out;
    EXPECT_EQ(daemon.status().at("state"), "serving");
}

TEST_F(Probation, reload_that_waits_fails_and_tells_why_when_it_is_rolled_back) {
    Daemon daemon(directory_, without_manager());
    auto reload = daemon.start_reload({"--wait"});
    daemon.await_generation(2);
    kill_successor(daemon);
    const auto told = reload.wait(timeout);
    ASSERT_TRUE(told) << "it does not end";
    EXPECT_EQ(told->exit_status, 1);
    EXPECT_TRUE(told->err.starts_with("rolled back: the successor (pid ")) << told->err;
    EXPECT_NE(told->err.find("died of SIGKILL"), std::string::npos) << told->err;
}

// ---- another reload

TEST_F(Probation, reload_in_it_ends_it_first) {
    Daemon daemon(directory_, with_manager());
    const auto first = daemon.pid();
    EXPECT_EQ(daemon.reload().status, 0);
    const auto second = daemon.pid();
    EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_EQ(await_end(first), 0);
    expect_served_by(daemon, daemon.pid(), 3);
    const auto all = manager_.messages();
    const auto place_of = [&](pid_t sender, const std::string& assignment) {
        return std::find_if(all.begin(), all.end(), [&](const Message& message) {
            return message.sender == sender && message.says(assignment);
        });
    };
    const auto main = place_of(first, "MAINPID=" + std::to_string(second));
    ASSERT_NE(main, all.end());
    EXPECT_LT(main, place_of(second, "READY=1")) << "and then it speaks for itself";
    EXPECT_LT(place_of(second, "READY=1"), place_of(second, "RELOADING=1"));
    EXPECT_EQ(count_of("MAINPID=" + std::to_string(daemon.pid())), 0U) << "it is on probation";
}

TEST_F(Probation, signal_to_the_main_process_is_passed_on_to_the_generation_that_serves) {
    Daemon daemon(directory_, with_manager());
    const auto first = daemon.pid();
    hand_over(daemon);
    ::kill(first, SIGUSR2);
    daemon.await_generation(3);
    EXPECT_EQ(await_end(first), 0);
    expect_served_by(daemon, daemon.pid(), 3);
}

TEST_F(Probation, ten_reloads_at_once_lose_nothing) {
    Daemon daemon(directory_, without_manager());
    Load keeping(daemon.address(), {"--keep-alive", "--connections", "8"});
    for (int i = 0; i < 10; ++i) EXPECT_EQ(daemon.reload().status, 0);
    keeping.await_answers(100);
    expect_nothing_lost(keeping);
    EXPECT_EQ(daemon.ask().generation, 11U);
}

// ---- many generations

TEST_F(Probation, oldest_of_too_many_draining_generations_ends) {
    auto start = without_manager();
    start.options.insert(start.options.end(), {"--draining-max", "2"});
    Daemon daemon(directory_, start);
    std::vector<HeldRequest> held;
    for (int i = 0; i < 4; ++i) {
        held.emplace_back(daemon.address());  // in flight in each of the first four
        hand_over(daemon);
    }
    for (const std::uint64_t generation : {1, 2}) {
        const auto account = account_of(generation, daemon);
        EXPECT_EQ(account.at("cut_at_deadline"), 1U);
    }
    daemon.await_line("when more than 2 generations would have been draining");
    EXPECT_TRUE(held[0].client().closed_by_server());
    EXPECT_TRUE(held[1].client().closed_by_server());
    for (const std::size_t youngest : {2U, 3U}) {
        held[youngest].release();
        expect_answer_of(youngest + 1, held[youngest].client());
    }
    expect_served_by(daemon, daemon.pid(), 5);
}

// ---- stop

TEST_F(Probation, SIGTERM_to_either_generation_stops_the_service) {
    for (const bool to_the_first : {true, false}) {
        manager_.forget_messages();
        Daemon daemon(directory_, with_manager());
        const auto first = daemon.pid();
        hand_over(daemon);
        ::kill(to_the_first ? first : daemon.pid(), SIGTERM);
        EXPECT_EQ(await_end(first), 0);
        EXPECT_TRUE(daemon.wait_for_only({}));
        EXPECT_TRUE(refuses(daemon.address()));
        EXPECT_EQ(daemon.log().find("rolled back"), std::string::npos) << daemon.log();
        EXPECT_EQ(count_of("STOPPING=1"), 1U);
        EXPECT_THAT(manager_.stored_names(), testing::ElementsAre("ledger"));
    }
}

TEST_F(Probation, stop_in_it_answers_what_is_in_flight_in_both_generations) {
    Daemon daemon(directory_, without_manager());
    HeldRequest old(daemon.address());
    hand_over(daemon);
    HeldRequest young(daemon.address());
    ::kill(daemon.first_pid(), SIGTERM);
    daemon.await_line("generation 1 stops");
    old.release();
    young.release();
    EXPECT_EQ(answer_in(old.client().receive()).generation, 1U);
    EXPECT_EQ(answer_in(young.client().receive()).generation, 2U);
    EXPECT_TRUE(daemon.wait_for_only({}));
}

// ---- the predecessor dies

TEST_F(Probation, successor_of_a_predecessor_that_is_killed_in_it_serves_on) {
    Daemon daemon(directory_, without_manager());
    auto idle = idle_clients(daemon.address(), 3);
    hand_over(daemon);
    await_imports(daemon, idle.size());
    ::kill(daemon.first_pid(), SIGKILL);
    EXPECT_TRUE(daemon.wait_for_state("serving"));
    for (auto& client : idle) expect_still_served_by(daemon, client);
    EXPECT_EQ(daemon.reload().status, 0);
    for (auto& client : idle) expect_still_served_by(daemon, client);
}

TEST_F(Probation, connections_survive_when_the_manager_ends_the_successor_of_a_dead_main_process) {
    Daemon daemon(directory_, with_manager());
    auto idle = idle_clients(daemon.address(), 3);
    hand_over(daemon);
    await_imports(daemon, idle.size());
    ::kill(daemon.first_pid(), SIGKILL);
    EXPECT_EQ(await_end(daemon.first_pid()), -SIGKILL);
    daemon.signal(SIGTERM);  // as systemd does before it starts the service anew
    EXPECT_EQ(daemon.await_end(), 0);
    const auto next = start_from_store(with_manager());
    for (auto& client : idle) expect_still_served_by(*next, client);
}

// ---- what the service manager is told

TEST_F(Probation, main_process_stays_the_main_process_until_it_is_over) {
    Daemon daemon(directory_, with_manager("300ms"));
    const auto first = daemon.pid();
    hand_over(daemon);
    const auto told = "MAINPID=" + std::to_string(daemon.pid());
    EXPECT_EQ(count_of(told), 0U);
    EXPECT_EQ(await_end(first), 0);
    EXPECT_EQ(count_of(told), 1U);
    EXPECT_TRUE(was_told("READY=1"));
}

TEST_F(Probation, rollback_is_told_to_the_manager) {
    Daemon daemon(directory_, with_manager());
    const auto first = daemon.pid();
    hand_over(daemon);
    manager_.forget_messages();
    kill_successor(daemon);
    const auto told = manager_.wait_for_message_saying("MAINPID=" + std::to_string(first));
    ASSERT_TRUE(told);
    EXPECT_TRUE(told->says("READY=1"));
    EXPECT_TRUE(told->value("STATUS").value_or("").starts_with("rolled back: ")) << told->text;
}

}  // namespace
}  // namespace handover::test
