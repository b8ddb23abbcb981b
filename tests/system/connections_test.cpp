// SPDX-License-Identifier: MIT
// Clients keep their connections, whatever the service goes through.
#include "system/service_under_load.h"

#include <map>

namespace handover::test {
namespace {

class SystemConnections : public ServiceInSetting {
  protected:
    /// 64 connections that send their next request as soon as the last one is answered.
    [[nodiscard]] Load start_full_speed() const {
        return start_load("64 keep-alive connections at full speed", tcp4,
                          {"--keep-alive", "--connections", "64", "--method", "POST", "--body",
                           "a few bytes of text"});
    }

    void restart() const {
        const Finished restart = systemctl("restart handoverd.service");
        EXPECT_EQ(restart.exit_status, 0) << restart.err;
    }

    static void expect_kept(const LoadReport& report) {
        EXPECT_EQ(report.failed(), 0);
        EXPECT_EQ(report.reconnects, 0);
        EXPECT_EQ(report.closed_while_idle, 0);
        EXPECT_EQ(report.announced_closes, 0);
    }

    /// Each on the connection that it has had all the time, and by whoever serves now.
    void expect_all_answered(IdleConnections& idle, int count) const {
        const LoadReport report = idle.ask();
        std::cout << idle.name() << ": " << report << '\n';
        EXPECT_EQ(report.answered(), count);
        expect_kept(report);
        EXPECT_EQ(report.generations,
                  (std::map<std::string, std::int64_t>{{std::to_string(ask().generation), count}}));
    }

    [[nodiscard]] int stored_fds() const { return std::stoi(property("NFileDescriptorStore")); }
};
INSTANTIATE_TEST_SUITE_P(, SystemConnections, testing::ValuesIn(all_settings()), name_of_parameter);

TEST_P(SystemConnections, at_full_speed_are_kept_through_20_reloads_and_5_restarts) {
    std::vector<Load> clients;
    clients.push_back(start_full_speed());
    const Answer first = ask();
    for (int i = 0; i < 5; ++i) {
        for (int j = 0; j < 4; ++j) {
            reload();
            await_answers(clients, 500);
        }
        restart();
        await_answers(clients, 500);
    }
    EXPECT_EQ(ask().generation, first.generation + 25);
    const LoadReport report = stop_and_print(clients.front());
    expect_kept(report);
    EXPECT_EQ(report.connections_opened, 64);
    EXPECT_EQ(report.generations.size(), 26U) << "every generation answered some";
}

TEST_P(SystemConnections, that_stand_idle_are_kept_through_reloads_and_restarts) {
    constexpr int count = 2000;
    auto idle = start_idle(tcp4, count);
    const int stored = stored_fds();
    reload();
    expect_all_answered(idle, count);
    restart();
    expect_all_answered(idle, count);
    EXPECT_EQ(stored_fds(), stored) << "the store has let go of them";

    // One generation drains while the next one is already replaced.
    Load slow = start_slow_requests(2, "3s");
    reload();
    reload();
    expect_all_answered(idle, count);
    EXPECT_EQ(slow.finish().answered(), 2);
    reload();
    restart();
    expect_all_answered(idle, count);
    EXPECT_EQ(idle.count(), count);
}

TEST_P(SystemConnections, on_a_unix_socket_are_kept_as_well) {
    auto idle = start_idle(unix_target(), 50);
    reload();
    expect_all_answered(idle, 50);
    restart();
    expect_all_answered(idle, 50);
}

TEST_P(SystemConnections, with_a_request_in_flight_are_kept_after_it) {
    // Two requests on each connection: the second one finds it open.
    Load slow = start_load(
        "slow requests on kept connections", tcp4,
        {"--path", "/hello?sleep=2s", "--requests", "8", "--connections", "4", "--keep-alive"});
    (void)ask();
    reload();
    const LoadReport report = slow.finish();
    EXPECT_EQ(report.answered(), 8) << report;
    expect_kept(report);
}

TEST_P(SystemConnections, of_both_generations_are_kept_when_a_restart_comes_during_a_reload) {
    auto idle = start_idle(tcp4, 200);
    Load slow = start_load(
        "slow requests on kept connections", tcp4,
        {"--path", "/hello?sleep=3s", "--requests", "8", "--connections", "4", "--keep-alive"});
    (void)ask();
    auto busy = start_full_speed();
    busy.await_answers(200);
    const Answer before = ask();
    reload();
    restart();
    EXPECT_EQ(ask().generation, before.generation + 2);
    expect_all_answered(idle, 200);
    const LoadReport slow_report = slow.finish();
    EXPECT_EQ(slow_report.answered(), 8) << slow_report;
    expect_kept(slow_report);
    expect_kept(stop_and_print(busy));
}

TEST_P(SystemConnections, are_kept_by_restarts_that_come_at_any_moment_of_a_reload) {
    std::vector<Load> clients;
    clients.push_back(start_full_speed());
    auto idle = start_idle(tcp4, 100);
    // systemd needs some 50 ms until ExecReload= has its sandbox.
    for (int delay_ms = 10; delay_ms <= 94; delay_ms += 12) {
        // Whether that reload still succeeds is not the question.
        auto reloading = container().spawn("systemctl reload handoverd.service");
        container().run("sleep 0.0" + std::to_string(delay_ms));
        restart();
        EXPECT_TRUE(reloading.wait(std::chrono::seconds(60)));
        await_answers(clients, 200);
    }
    expect_all_answered(idle, 100);
    expect_kept(stop_and_print(clients.front()));
}

class SystemSoftReboot : public ServiceUnderLoad, public testing::WithParamInterface<Setting> {
  protected:
    [[nodiscard]] int systemd_version() {
        return std::stoi(container().output_of("systemctl --version | sed -n 's/^systemd //p'"));
    }
};
INSTANTIATE_TEST_SUITE_P(, SystemSoftReboot, testing::ValuesIn(all_settings()), name_of_parameter);

TEST_P(SystemSoftReboot, keeps_connections_with_the_shipped_drop_in) {
    boot(GetParam());
    if (systemd_version() < 254)
        GTEST_SKIP() << "systemd " << systemd_version() << " has no soft-reboot, 254 has";
    add_example("soft-reboot.conf");
    container().output_of("systemctl daemon-reload && systemctl enable handoverd.service" +
                          std::string(GetParam().socket_unit ? " handoverd.socket" : ""));
    EXPECT_EQ(systemctl("restart handoverd.service").exit_status, 0);
    constexpr int count = 2000;
    auto idle = start_idle(tcp4, count);
    const Answer before = ask();

    container().soft_reboot();
    const Answer after = ask();
    EXPECT_EQ(after.generation, before.generation + 1);
    EXPECT_NE(after.pid, before.pid);
    const LoadReport report = idle.ask();
    EXPECT_EQ(report.answered(), count) << report;
    EXPECT_EQ(report.closed_while_idle, 0);

    // A stop is a stop, with the drop-in too.
    EXPECT_EQ(systemctl("stop handoverd.service").exit_status, 0);
    EXPECT_EQ(idle.count(), 0);
}

}  // namespace
}  // namespace handover::test
