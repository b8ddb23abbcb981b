// SPDX-License-Identifier: MIT
#include "system/service_under_load.h"

#include <iostream>

namespace handover::test {
namespace {

using std::chrono::seconds;

class SystemStop : public ServiceInSetting {};
INSTANTIATE_TEST_SUITE_P(, SystemStop, testing::ValuesIn(all_settings()), name_of_parameter);

TEST_P(SystemStop, waits_for_requests_in_flight) {
    Load slow = start_slow_requests(4, "3s");
    const Finished stop = systemctl("stop handoverd.service");
    EXPECT_EQ(stop.exit_status, 0) << stop.err;
    EXPECT_GT(stop.duration, seconds(1));
    EXPECT_LT(stop.duration, seconds(10));
    const LoadReport report = slow.finish();
    EXPECT_EQ(report.answered(), 4) << report;
    EXPECT_EQ(property("Result"), "success");
}

TEST_P(SystemStop, under_load_answers_what_it_accepted) {
    auto clients = start_everybody();
    EXPECT_EQ(systemctl("stop handoverd.service").exit_status, 0);
    if (GetParam().socket_unit) {
        // The socket unit still listens: the next connection starts the service again.
        await_answers(clients, 10);
        for (auto& client : clients) {
            const LoadReport report = stop_and_print(client);
            EXPECT_EQ(report.failed(), 0) << client.name();
            EXPECT_EQ(report.reconnects, report.announced_closes) << client.name();
            EXPECT_EQ(report.closed_while_idle, 0) << client.name();
        }
        return;
    }
    for (auto& client : clients) {
        const LoadReport report = stop_and_print(client);
        // Who came too late was refused. Whoever got a connection also got an answer.
        EXPECT_EQ(report.failed(), report.not_connected()) << client.name() << report;
    }
}

TEST_P(SystemStop, is_followed_by_a_start_that_serves_again) {
    ASSERT_EQ(systemctl("stop handoverd.service").exit_status, 0);
    EXPECT_EQ(property("ActiveState"), "inactive");
    ASSERT_EQ(systemctl("start handoverd.service").exit_status, 0);
    auto clients = start_everybody();
    reload();
    await_answers(clients, 10);
    expect_nothing_lost(clients);
}

class SystemStatus : public ServiceInSetting {};
INSTANTIATE_TEST_SUITE_P(, SystemStatus, testing::ValuesIn(all_settings()), name_of_parameter);

TEST_P(SystemStatus, is_one_sentence) {
    for (int i = 0; i < 2; ++i) {
        const std::string status = property("StatusText");
        EXPECT_FALSE(status.empty());
        EXPECT_EQ(status.find('\n'), std::string::npos) << status;
        std::cout << status << '\n';
        reload();
    }
}

TEST_P(SystemStatus, can_be_asked_for_without_starting_a_stopped_service) {
    EXPECT_EQ(container().run("handoverd status --json").exit_status, 0);
    ASSERT_EQ(systemctl("stop handoverd.service").exit_status, 0);
    EXPECT_NE(container().run("handoverd status").exit_status, 0);
    EXPECT_EQ(property("ActiveState"), "inactive");
}

TEST_P(SystemStatus, comes_from_units_that_systemd_finds_no_fault_with) {
    const std::string units =
        GetParam().socket_unit ? "handoverd.service handoverd.socket" : "handoverd.service";
    // Whether there are the manual pages that they name, it asks man(1), which is not there.
    const Finished verify = container().run("systemd-analyze verify --man=no " + units);
    EXPECT_EQ(verify.exit_status, 0);
    EXPECT_EQ(verify.out + verify.err, "");
    EXPECT_EQ(container().output_of("systemctl --failed --no-legend"), "");
}

}  // namespace
}  // namespace handover::test
