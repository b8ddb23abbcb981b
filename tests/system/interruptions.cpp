// SPDX-License-Identifier: MIT
#include "system/fault_table.h"

#include <utility>

namespace handover::test {
namespace {

/// What comes in the middle of a reload.
struct Interruption {
    std::string name;
    Loss loss;
    std::vector<std::string> commands;  ///< of systemctl
};

void interrupt(FaultyService& service, const Interruption& interruption) {
    for (const auto& command : interruption.commands) {
        const Finished finished = service.systemctl(command);
        EXPECT_EQ(finished.exit_status, 0) << command << ": " << finished.err;
    }
}

/// The successor runs and has said nothing yet.
void before_ready(FaultyService& service, const Interruption& interruption) {
    const Answer before = service.ask();
    auto reloading = service.start_reload_that_waits();
    interrupt(service, interruption);
    service.let_successor_go();
    // systemctl loses its connection in a daemon-reexec, and its job in a stop: how it ends is not
    // the question.
    EXPECT_TRUE(reloading.wait(timeout));
    EXPECT_TRUE(eventually([&] { return service.ask().pid != before.pid; }));
}

void on_probation(FaultyService& service, const Interruption& interruption) {
    const Answer before = service.ask();
    service.reload();
    EXPECT_EQ(service.main_pid(), before.pid);
    interrupt(service, interruption);
    EXPECT_NE(service.ask().pid, before.pid);
}

/// The predecessor has requests in flight, which are answered whatever comes.
void while_it_drains(FaultyService& service, const Interruption& interruption) {
    Load slow = service.start_slow_requests(2, "2s");
    service.reload();
    interrupt(service, interruption);
    const LoadReport report = slow.finish();
    EXPECT_EQ(report.answered(), 2) << report;
}

}  // namespace

std::vector<Fault> interruptions() {
    const std::vector<Interruption> kinds{
        {"stop", Loss::newcomers, {"stop handoverd.service", "start handoverd.service"}},
        {"restart", Loss::nothing, {"restart handoverd.service"}},
        {"daemon_reload", Loss::nothing, {"daemon-reload"}},
        {"daemon_reexec", Loss::nothing, {"daemon-reexec"}},
    };
    using Stage = void (*)(FaultyService&, const Interruption&);
    const std::vector<std::pair<std::string, Stage>> stages{
        {"before_ready", before_ready},
        {"on_probation", on_probation},
        {"while_it_drains", while_it_drains},
    };
    std::vector<Fault> faults;
    for (const auto& interruption : kinds)
        for (const auto& [stage, strike] : stages)
            faults.push_back({interruption.name + "_" + stage,
                              [strike = strike, interruption](FaultyService& service) {
                                  strike(service, interruption);
                              },
                              interruption.loss, 0, "3s"});
    return faults;
}

}  // namespace handover::test
