// SPDX-License-Identifier: MIT
#include "system/service_under_load.h"

namespace handover::test {
namespace {

using std::chrono::seconds;

class SystemReload : public ServiceInSetting {};
INSTANTIATE_TEST_SUITE_P(, SystemReload, testing::ValuesIn(all_settings()), name_of_parameter);

TEST_P(SystemReload, twenty_times_loses_no_request_of_any_client) {
    auto clients = start_everybody();
    Answer before = ask();
    EXPECT_EQ(before.pid, main_pid());
    for (int i = 0; i < 20; ++i) {
        reload();
        const Answer after = ask();
        EXPECT_EQ(after.generation, before.generation + 1);
        EXPECT_NE(after.pid, before.pid);
        before = after;
        await_answers(clients, 10);
    }
    EXPECT_TRUE(becomes_main(before.pid)) << "systemd supervises the last one";
    expect_nothing_lost(clients);
    EXPECT_EQ(property("ActiveState"), "active");
    EXPECT_EQ(property("NRestarts"), "0");
}

TEST_P(SystemReload, lets_slow_requests_finish_in_the_predecessor) {
    const Answer predecessor = ask();
    Load slow = start_slow_requests(4, "3s");
    const auto duration = reload();
    EXPECT_LT(duration, seconds(2)) << "the reload does not wait for the slow requests";
    EXPECT_EQ(ask().generation, predecessor.generation + 1) << "new ones go to the successor";
    const LoadReport report = slow.finish();
    EXPECT_EQ(report.answered(), 4) << report;
    EXPECT_EQ(report.generations,
              (std::map<std::string, std::int64_t>{{std::to_string(predecessor.generation), 4}}));
}

TEST_P(SystemReload, goes_on_working_after_daemon_reload_and_daemon_reexec) {
    auto clients = start_everybody();
    const Answer first = ask();
    for (const std::string between : {"daemon-reload", "daemon-reexec", "daemon-reload"}) {
        reload();
        EXPECT_EQ(systemctl(between).exit_status, 0);
        await_answers(clients, 10);
    }
    reload();
    EXPECT_EQ(ask().generation, first.generation + 4);
    EXPECT_TRUE(becomes_main(ask().pid));
    EXPECT_EQ(systemctl("restart handoverd.service").exit_status, 0);
    await_answers(clients, 10);
    expect_nothing_lost(clients);
}

TEST_P(SystemReload, leaves_a_main_process_that_stops_gracefully) {
    reload();
    EXPECT_TRUE(becomes_main(ask().pid));
    Load slow = start_slow_requests(2, "3s");
    // systemd kills a main process that is not its own child at once.
    const Finished stop = systemctl("stop handoverd.service");
    EXPECT_EQ(stop.exit_status, 0) << stop.err;
    const LoadReport report = slow.finish();
    EXPECT_EQ(report.answered(), 2) << report;
    EXPECT_GT(stop.duration, seconds(1)) << "stop waits for the requests in flight";
}

TEST_P(SystemReload, takes_a_replaced_binary) {
    const Answer before = ask();
    install_good_binary();  // a new file under the old name
    reload();
    const Answer after = ask();
    EXPECT_EQ(after.generation, before.generation + 1);
    EXPECT_EQ(container().output_of("readlink /proc/" + std::to_string(after.pid) + "/exe"),
              program);
}

}  // namespace
}  // namespace handover::test
