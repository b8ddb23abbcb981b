// SPDX-License-Identifier: MIT
// A release that starts and then dies must not take the service with it.
#include "system/service_under_load.h"

#include <iostream>

namespace handover::test {
namespace {

using std::chrono::seconds;

class SystemProbation : public ServiceInSetting {};
INSTANTIATE_TEST_SUITE_P(, SystemProbation, testing::ValuesIn(all_settings()), name_of_parameter);

TEST_P(SystemProbation, reload_that_waits_tells_the_truth) {
    const Finished good = container().run("handoverd reload --wait");
    EXPECT_EQ(good.exit_status, 0) << good.err;
    EXPECT_EQ(main_pid(), ask().pid);

    auto waiting = container().spawn("handoverd reload --wait");
    const pid_t before = main_pid();
    ASSERT_TRUE(eventually([&] { return ask().pid != before; }));
    kill({ask().pid});
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
    kill({before.pid});
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
