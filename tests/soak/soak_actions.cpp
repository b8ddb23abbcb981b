// SPDX-License-Identifier: MIT
// What a soak does to the service.
#include "soak/soak.h"

#include <algorithm>
#include <array>

namespace handover::test {
namespace {

using std::chrono::seconds;

constexpr int burst = 10;

/// For sleep(1): "0.042".
std::string seconds_of(unsigned duration_ms) {
    const auto digits = std::to_string(1000 + duration_ms % 1000).substr(1);
    return std::to_string(duration_ms / 1000) + "." + digits;
}

template <std::size_t count>
const char* choose(const std::array<const char*, count>& names, const Step& step) {
    return names[step.choice % count];
}

}  // namespace

std::span<const Soak::Action> Soak::actions() {
    // The weight of those that take seconds is low: they would take all of the time.
    static const std::array<Action, 16> all{{
        {"reload", 8, &Soak::reload_once},
        {"reload --wait", 2, &Soak::reload_and_wait},
        {"ten reloads in a row", 3, &Soak::reload_ten_times_in_a_row},
        {"ten reloads at once", 3, &Soak::reload_ten_times_at_once},
        {"SIGUSR2 or SIGHUP", 5, &Soak::signal_for_a_handover},
        {"restart", 5, &Soak::restart},
        {"restart during a reload", 5, &Soak::restart_during_a_reload},
        {"stop and start", 3, &Soak::stop_and_start, true},
        {"reload with a broken binary", 4, &Soak::reload_with_a_broken_binary},
        {"kill the main process", 3, &Soak::kill_main_process},
        {"kill the main process during a reload", 3, &Soak::kill_main_process_during_a_reload},
        {"kill the main process on probation", 3, &Soak::kill_main_process_on_probation},
        {"kill the successor on probation", 4, &Soak::kill_successor_on_probation},
        {"pause the successor", 4, &Soak::pause_successor},
        {"hang the successor", 1, &Soak::hang_successor},
        {"daemon-reload or daemon-reexec", 4, &Soak::reconfigure_manager},
    }};
    return all;
}

// ---- which cost nothing

Cost Soak::reload_once(const Step& /*step*/) {
    const Answer before = ask();
    reload();
    EXPECT_GT(ask().generation, before.generation);
    return {};
}

Cost Soak::reload_and_wait(const Step& /*step*/) {
    const Finished reload = container().run("handoverd reload --wait");
    EXPECT_EQ(reload.exit_status, 0) << reload.err;
    EXPECT_EQ(main_pid(), ask().pid);
    return {};
}

Cost Soak::reload_ten_times_in_a_row(const Step& /*step*/) {
    const Answer before = ask();
    for (int i = 0; i < burst; ++i) reload();
    EXPECT_GE(ask().generation, before.generation + burst) << "a dead one has had a number, too";
    return {};
}

/// Those that come while one is going on are refused, and say so.
Cost Soak::reload_ten_times_at_once(const Step& /*step*/) {
    const Answer before = ask();
    std::vector<ChildProcess> reloads;
    reloads.reserve(burst);
    for (int i = 0; i < burst; ++i) reloads.push_back(container().spawn("handoverd reload"));
    int succeeded = 0;
    for (auto& reload : reloads) {
        const auto finished = reload.wait(seconds(60));
        EXPECT_TRUE(finished) << "a reload does not end";
        if (!finished) continue;
        if (finished->ok()) ++succeeded;
        EXPECT_NE(finished->out + finished->err, "");
    }
    EXPECT_GE(succeeded, 1);
    EXPECT_GT(ask().generation, before.generation);
    return {};
}

/// To a generation that serves, or to one that watches its successor, which has to pass it on.
Cost Soak::signal_for_a_handover(const Step& step) {
    (void)await_main();
    if (step.choice % 2 == 0) reload();
    const Answer before = ask();
    kill({main_pid()}, choose<2>({"USR2", "HUP"}, {.choice = step.choice / 2}));
    EXPECT_TRUE(eventually([&] { return ask().generation > before.generation; }));
    return {};
}

Cost Soak::restart(const Step& /*step*/) {
    const Answer before = ask();
    const Finished restart = systemctl("restart handoverd.service");
    EXPECT_EQ(restart.exit_status, 0) << restart.err;
    EXPECT_GT(ask().generation, before.generation);
    return {};
}

/// Whether that reload still succeeds is not the question.
Cost Soak::restart_during_a_reload(const Step& step) {
    auto reloading = container().spawn("systemctl reload handoverd.service");
    container().output_of("sleep " + seconds_of(step.moment_ms));
    Cost cost = restart(step);
    EXPECT_TRUE(reloading.wait(seconds(60)));
    return cost;
}

Cost Soak::reload_with_a_broken_binary(const Step& step) {
    const BinaryFault& fault = binary_faults()[step.choice % binary_faults().size()];
    const Answer before = ask();
    break_binary(fault);
    EXPECT_NE(systemctl("reload handoverd.service").exit_status, 0) << fault;
    EXPECT_EQ(ask().pid, before.pid) << fault;
    install_good_binary();
    reload();
    EXPECT_GT(ask().generation, before.generation) << fault;
    return {};
}

/// For a while nobody answers; nobody is turned away either.
Cost Soak::pause_successor(const Step& step) {
    reload();
    const auto pid = std::to_string(ask().pid);
    container().output_of("kill -STOP " + pid + "; sleep " + seconds_of(10 * step.moment_ms) +
                          "; kill -CONT " + pid);
    EXPECT_EQ(std::to_string(ask().pid), pid);
    return {};
}

Cost Soak::reconfigure_manager(const Step& step) {
    if (step.choice % 4 < 2) reload();  // and in the probation of that
    EXPECT_EQ(systemctl(choose<2>({"daemon-reload", "daemon-reexec"}, step)).exit_status, 0);
    return {};
}

// ---- which end processes

Cost Soak::stop_and_start(const Step& /*step*/) {
    // Clients do not wait for the second one: for the first of them systemd starts the service.
    for (const std::string verb : {"stop", "start"})
        EXPECT_EQ(systemctl(verb + " handoverd.service").exit_status, 0);
    return {.stop = true};
}

Cost Soak::kill_main_process(const Step& step) {
    const Answer victim = await_main();
    kill({victim.pid}, choose<2>({"KILL", "SEGV"}, step));
    await_restart_after(victim.pid);
    return {.deaths = 1};
}

Cost Soak::kill_main_process_during_a_reload(const Step& step) {
    const Answer victim = await_main();
    auto reloading = container().spawn("handoverd reload");
    container().output_of("sleep " + seconds_of(step.moment_ms));
    kill({victim.pid});
    EXPECT_TRUE(reloading.wait(seconds(60)));
    await_restart_after(victim.pid);
    return {.deaths = 1};
}

Cost Soak::kill_main_process_on_probation(const Step& /*step*/) {
    const Answer victim = await_main();
    reload();
    kill({victim.pid});
    await_restart_after(victim.pid);
    return {.deaths = 1};
}

Cost Soak::kill_successor_on_probation(const Step& step) {
    const Answer before = await_main();
    reload();
    kill({ask().pid}, choose<3>({"KILL", "SEGV", "ABRT"}, step));
    await_rollback_to(before.pid);
    return {.deaths = 1};
}

/// It does not come to life again, so the generation before it takes over again.
Cost Soak::hang_successor(const Step& /*step*/) {
    const Answer before = await_main();
    reload();
    kill({ask().pid}, "STOP");
    await_rollback_to(before.pid);
    return {.deaths = 1};
}

// ---- what they wait for

Answer Soak::await_main() {
    Answer serving;
    EXPECT_TRUE(eventually([&] {
        serving = ask();
        return main_pid() == serving.pid;
    }));
    return serving;
}

void Soak::await_rollback_to(pid_t predecessor) {
    EXPECT_TRUE(eventually([&] { return property("StatusText").starts_with("rolled back: "); }));
    EXPECT_EQ(ask().pid, predecessor);
    EXPECT_EQ(main_pid(), predecessor);
}

void Soak::await_restart_after(pid_t victim) {
    EXPECT_TRUE(eventually([&] {
        const pid_t now = main_pid();
        return now != 0 && now != victim && property("ActiveState") == "active";
    }));
}

}  // namespace handover::test
