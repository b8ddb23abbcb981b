// SPDX-License-Identifier: MIT
#include "support/resource_limit.h"
#include "system/fault_table.h"

#include <iostream>

namespace handover::test {
namespace {

/// The generation before serves again, and systemd has nothing to do.
void kill_successor_on_probation(FaultyService& service, const std::string& signal) {
    const pid_t before = service.main_pid();
    service.reload();
    const Answer successor = service.ask();
    EXPECT_NE(successor.pid, before);
    EXPECT_EQ(service.main_pid(), before) << "it is not the main process yet";
    service.kill({successor.pid}, signal);
    service.await_answers(30);
    EXPECT_EQ(service.ask().pid, before);
    EXPECT_EQ(service.main_pid(), before);
    const std::string status = service.property("StatusText");
    EXPECT_TRUE(status.starts_with("rolled back: ")) << status;
    EXPECT_NE(status.find("SIG" + signal), std::string::npos) << status;
    EXPECT_EQ(service.property("NRestarts"), "0");
}

void kill_successor_after_probation(FaultyService& service, const std::string& signal) {
    service.reload();
    const Answer successor = service.ask();
    ASSERT_TRUE(service.becomes_main(successor.pid));
    service.kill({successor.pid}, signal);
    service.await_restarts(1);
    EXPECT_EQ(service.ask().generation, successor.generation + 1);
}

/// Before the successor is ready, and while two thousand connections are on their way to it. Each
/// of these is answered by the next generation on the same connection, or has been closed with the
/// dead process; none hangs.
void kill_predecessor_while_it_sends(FaultyService& service) {
    constexpr int count = 2000;
    int restarts = 0;
    for (std::string command :
         {"handoverd reload & sleep 0.004", "handoverd reload & sleep 0.012", "handoverd reload",
          "handoverd reload; sleep 0.002", "handoverd reload; sleep 0.008"}) {
        auto idle = service.start_idle(FaultyService::tcp4, count);
        command.append("; kill -KILL ").append(std::to_string(service.main_pid()));
        // The reload itself may find nobody who answers any more.
        (void)service.container().run(command.append("; wait"));
        service.await_restarts(++restarts);
        const LoadReport report = idle.ask();
        std::cout << "after \"" << command << "\": " << report << '\n';
        EXPECT_EQ(report.answered(), report.requests) << report;
        EXPECT_EQ(report.requests + report.closed_while_idle, count);
        ASSERT_TRUE(service.becomes_main(service.ask().pid));
    }
}

/// ExecReload= waits for an answer that nobody will give, and systemd for ExecReload=.
void kill_main_process_during_systemctl_reload(FaultyService& service) {
    const std::string main = std::to_string(service.main_pid());
    // Stopped, it accepts nothing: the request lies in the queue.
    (void)service.container().run("kill -STOP " + main +
                                  R"(; systemctl reload handoverd.service &
        until pid=$(systemctl show --property=ControlPID --value handoverd.service) &&
            grep -qx exe /proc/$pid/comm; do continue; done 2>/dev/null
        kill -KILL )" + main + "; wait");
    service.await_restarts(1);
}

void kill_both(FaultyService& service) {
    const pid_t predecessor = service.main_pid();
    service.reload();
    const pid_t successor = service.ask().pid;
    ASSERT_NE(successor, predecessor);
    service.kill({successor}, "STOP");  // or it might leave in between
    service.kill({successor, predecessor});
    service.await_restarts(1);
}

void kill_all_by_systemctl(FaultyService& service) {
    const pid_t before = service.main_pid();
    EXPECT_EQ(service.systemctl("kill --signal=KILL handoverd.service").exit_status, 0);
    service.await_restarts(1);
    EXPECT_NE(service.main_pid(), before);
}

/// Bodies that do not fit: the kernel kills the process, and systemd starts it again.
void run_out_of_memory(FaultyService& service) {
    constexpr int little = 8 << 20;
    const auto limit = ResourceLimit::more_memory(service.container(), FaultyService::unit, little);
    Load large = service.start_load(
        "bodies of 32 MiB", FaultyService::tcp4,
        {"--method", "POST", "--body-size", "33554432", "--requests", "2", "--connections", "2"});
    EXPECT_TRUE(eventually([&] { return service.property("NRestarts") != "0"; }));
    const LoadReport report = large.stop();
    EXPECT_GT(report.failed(), 0) << report;
}

void reload_a_hundred_times(FaultyService& service) {
    const Answer before = service.ask();
    const Finished storm = service.container().run(
        "for i in $(seq 100); do handoverd reload >/dev/null || echo failed; done");
    std::cout << "a hundred reloads in " << storm.duration.count() << " ms\n";
    EXPECT_EQ(storm.out + storm.err, "");
    EXPECT_EQ(service.ask().generation, before.generation + 100);
}

/// Some of them are told that they came too late, or together with another.
void reload_a_hundred_times_at_once(FaultyService& service) {
    const Answer before = service.ask();
    const Finished storm =
        service.container().run("for i in $(seq 100); do handoverd reload 2>&1 & done; wait");
    EXPECT_NE(storm.out.find(") took over from "), std::string::npos) << storm.out;
    EXPECT_GT(service.ask().generation, before.generation);
}

std::function<void(FaultyService&)> with(void (*strike)(FaultyService&, const std::string&),
                                         const std::string& signal) {
    return [strike, signal](FaultyService& service) { strike(service, signal); };
}

}  // namespace

std::vector<Fault> faults_after_ready() {
    constexpr auto inside = Loss::what_was_inside;
    return {
        {"successor_SIGKILLed_on_probation", with(kill_successor_on_probation, "KILL"), inside, 1,
         "5s"},
        {"successor_segfaults_on_probation", with(kill_successor_on_probation, "SEGV"), inside, 1,
         "5s"},
        {"successor_SIGKILLed_after_probation", with(kill_successor_after_probation, "KILL"),
         inside, 1},
        {"successor_segfaults_after_probation", with(kill_successor_after_probation, "SEGV"),
         inside, 1},
        {"predecessor_killed_while_it_sends", kill_predecessor_while_it_sends, inside, 5},
        {"main_process_killed_during_systemctl_reload", kill_main_process_during_systemctl_reload,
         inside, 1},
        {"both_killed", kill_both, inside, 2, "5s"},
        {"killed_by_systemctl", kill_all_by_systemctl, inside, 1},
        {"out_of_memory", run_out_of_memory, inside, 2},
        {"reload_storm", reload_a_hundred_times},
        {"reload_storm_at_once", reload_a_hundred_times_at_once},
    };
}

}  // namespace handover::test
