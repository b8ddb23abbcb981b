// SPDX-License-Identifier: MIT
// A release that starts and then dies must not take the service with it.
#include "system/service_under_load.h"

#include <iostream>

namespace handover::test {
namespace {

using std::chrono::seconds;

class SystemProbation : public ServiceInSetting {
  protected:
    /// At most the connections of each client were inside the dead process.
    static void expect_only_what_was_inside_is_lost(std::vector<Load>& clients, int deaths) {
        for (auto& client : clients) {
            const LoadReport report = stop_and_print(client);
            EXPECT_EQ(report.not_connected(), 0) << client.name();
            EXPECT_EQ(report.count(Outcome::timed_out), 0) << client.name();
            EXPECT_LE(report.failed(), deaths * connections_of_each) << client.name();
        }
    }
};
INSTANTIATE_TEST_SUITE_P(, SystemProbation, testing::ValuesIn(all_settings()), name_of_parameter);

TEST_P(SystemProbation, successor_that_dies_in_it_is_rolled_back_under_load) {
    auto clients = start_everybody();
    const Answer before = ask();
    int deaths = 0;
    for (const std::string how : {"KILL", "SEGV"}) {
        reload();
        const Answer successor = ask();
        EXPECT_NE(successor.pid, before.pid);
        EXPECT_EQ(main_pid(), before.pid) << "it is not the main process yet";
        signal(successor.pid, how);
        ++deaths;
        await_answers(clients, 30);
        EXPECT_EQ(ask().pid, before.pid);
        EXPECT_EQ(main_pid(), before.pid);
        const std::string status = property("StatusText");
        EXPECT_TRUE(status.starts_with("rolled back: ")) << status;
        EXPECT_NE(status.find("SIG" + how), std::string::npos) << status;
    }
    EXPECT_EQ(property("ActiveState"), "active");
    EXPECT_EQ(property("NRestarts"), "0") << "systemd had nothing to do";

    reload();
    const Answer after = ask();
    EXPECT_GT(after.generation, before.generation);
    EXPECT_TRUE(becomes_main(after.pid)) << "the next one is as good as ever";
    expect_only_what_was_inside_is_lost(clients, deaths);
}

TEST_P(SystemProbation, successor_that_dies_after_it_is_restarted_by_systemd) {
    auto clients = start_everybody();
    reload();
    const Answer successor = ask();
    ASSERT_TRUE(becomes_main(successor.pid));
    signal(successor.pid, "SEGV");
    await_answers(clients, 30);
    EXPECT_EQ(ask().generation, successor.generation + 1);
    EXPECT_EQ(property("NRestarts"), "1");
    expect_only_what_was_inside_is_lost(clients, 1);
}

TEST_P(SystemProbation, reload_that_waits_tells_the_truth) {
    const Finished good = container().run("handoverd reload --wait");
    EXPECT_EQ(good.exit_status, 0) << good.err;
    EXPECT_EQ(main_pid(), ask().pid);

    auto waiting = container().spawn("handoverd reload --wait");
    const pid_t before = main_pid();
    ASSERT_TRUE(eventually([&] { return ask().pid != before; }));
    signal(ask().pid, "KILL");
    const auto bad = waiting.wait(seconds(30));
    ASSERT_TRUE(bad);
    EXPECT_EQ(bad->exit_status, 1);
    EXPECT_NE(bad->err.find("rolled back: "), std::string::npos) << bad->err;
    EXPECT_EQ(main_pid(), before);
}

TEST_P(SystemProbation, main_process_that_is_killed_in_it_takes_no_connection_of_its_successor) {
    auto idle = start_idle(tcp4, 200);
    const Answer before = ask();
    reload();
    ASSERT_TRUE(eventually([&] {
        return container().output_of("handoverd status").find("200 moved") != std::string::npos;
    }));
    signal(before.pid, "KILL");
    ASSERT_TRUE(eventually([&] { return property("NRestarts") == "1"; }));
    const LoadReport report = idle.ask();
    std::cout << report << '\n';
    EXPECT_EQ(report.answered(), 200);
    EXPECT_EQ(report.reconnects, 0);
    EXPECT_GE(ask().generation, before.generation + 2);
    reload();
}

TEST_P(SystemProbation, stop_in_it_ends_both_generations_gracefully) {
    Load slow = start_slow_requests(2, "2s");
    reload();
    Load young = start_slow_requests(2, "2s");
    const Finished stop = systemctl("stop handoverd.service");
    EXPECT_EQ(stop.exit_status, 0) << stop.err;
    EXPECT_LT(stop.duration, seconds(10));
    EXPECT_EQ(slow.finish().answered(), 2);
    EXPECT_EQ(young.finish().answered(), 2);
    EXPECT_EQ(property("Result"), "success");
    EXPECT_EQ(property("NRestarts"), "0");
}

}  // namespace
}  // namespace handover::test
