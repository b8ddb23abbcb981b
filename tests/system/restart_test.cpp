// SPDX-License-Identifier: MIT
#include "system/service_under_load.h"

namespace handover::test {
namespace {

using std::chrono::seconds;

class SystemRestart : public ServiceInSetting {};
INSTANTIATE_TEST_SUITE_P(, SystemRestart, testing::ValuesIn(all_settings()), name_of_parameter);

TEST_P(SystemRestart, five_times_loses_no_request_of_any_client) {
    auto clients = start_everybody();
    const Answer first = ask();
    for (int i = 1; i <= 5; ++i) {
        EXPECT_EQ(systemctl("restart handoverd.service").exit_status, 0);
        const Answer answer = ask();
        EXPECT_EQ(answer.pid, main_pid());
        EXPECT_EQ(answer.generation, first.generation + i);
        await_answers(clients, 10);
    }
    expect_nothing_lost(clients);
}

TEST_P(SystemRestart, finishes_slow_requests_first_while_new_ones_wait) {
    Load slow = start_slow_requests(4, "2s");
    auto clients = start_everybody();
    const Finished restart = systemctl("restart handoverd.service");
    EXPECT_EQ(restart.exit_status, 0) << restart.err;
    EXPECT_EQ(slow.finish().answered(), 4);
    await_answers(clients, 10);
    expect_nothing_lost(clients);
}

TEST_P(SystemRestart, loses_nothing_mixed_with_reloads_and_reconfigured_managers) {
    auto clients = start_everybody();
    for (const std::string verb : {"reload handoverd.service", "restart handoverd.service",
                                   "daemon-reload", "restart handoverd.service", "daemon-reexec",
                                   "reload handoverd.service", "restart handoverd.service"}) {
        const Finished finished = systemctl(verb);
        EXPECT_EQ(finished.exit_status, 0) << verb << ": " << finished.err;
        await_answers(clients, 5);
    }
    expect_nothing_lost(clients);
}

class SystemCrash : public ServiceInSetting {};
INSTANTIATE_TEST_SUITE_P(, SystemCrash, testing::ValuesIn(all_settings()), name_of_parameter);

TEST_P(SystemCrash, refuses_nobody_and_loses_only_what_was_inside_the_dead_process) {
    constexpr int crashes = 3;
    auto clients = start_everybody();
    for (int i = 0; i < crashes; ++i) {
        const pid_t victim = main_pid();
        ASSERT_GT(victim, 0);
        kill({victim});
        await_answers(clients, 30);
        EXPECT_NE(main_pid(), victim);
    }
    for (auto& client : clients) {
        const LoadReport report = stop_and_print(client);
        EXPECT_EQ(report.not_connected(), 0) << client.name();
        EXPECT_EQ(report.count(Outcome::timed_out), 0) << client.name();
        // No more can have been inside at each crash.
        EXPECT_LE(report.failed(), crashes * connections_of_each) << client.name();
    }
    EXPECT_EQ(property("NRestarts"), std::to_string(crashes));
}

TEST_P(SystemCrash, that_happens_again_and_again_is_started_less_and_less_often) {
    auto clients = start_everybody();
    for (int i = 1; i <= 5; ++i) {
        const Answer victim = ask();
        kill({victim.pid});
        // Whoever asks waits in the listener's queue.
        EXPECT_EQ(ask().generation, victim.generation + 1);
    }
    EXPECT_NE(container().journal().find("the last 5 generations crashed soon after the start: "
                                         "this one waits 1 s before it serves"),
              std::string::npos);
    for (auto& client : clients)
        EXPECT_EQ(stop_and_print(client).not_connected(), 0) << client.name();
    reload();
}

TEST_P(SystemCrash, after_a_reload_is_restarted_too) {
    reload();
    const pid_t victim = ask().pid;
    ASSERT_TRUE(becomes_main(victim));
    auto clients = start_everybody();
    kill({victim});
    await_answers(clients, 30);
    for (auto& client : clients)
        EXPECT_EQ(stop_and_print(client).not_connected(), 0) << client.name();
    EXPECT_NE(main_pid(), victim);
}

TEST_P(SystemCrash, of_all_threads_at_once_is_noticed_by_the_watchdog) {
    container().write_file("/etc/systemd/system/handoverd.service.d/stuck.conf",
                           "[Service]\nWatchdogSec=2s\n");
    container().output_of("systemctl daemon-reload && systemctl restart handoverd.service");
    const Answer before = ask();
    // As many as there may be, none of which comes back in time.
    Load stuck =
        start_load("requests that get stuck", tcp4,
                   {"--path", "/hello?sleep=60s", "--requests", "512", "--connections", "512"});
    ASSERT_TRUE(eventually([&] { return property("NRestarts") == "1"; }));
    EXPECT_GT(ask().generation, before.generation);
    EXPECT_NE(container().journal().find("the watchdog is not fed any more"), std::string::npos);
}

}  // namespace
}  // namespace handover::test
