// SPDX-License-Identifier: MIT
#include "system/faulty_service.h"

#include "support/contains.h"

#include <fcntl.h>

#include <ostream>
#include <sstream>
#include <stdexcept>

namespace handover::test {
namespace {

using std::chrono::seconds;

constexpr auto gate = "/run/gate";

}  // namespace

std::ostream& operator<<(std::ostream& out, const Belongings& belongings) {
    return out << belongings.processes << " processes, " << belongings.stored
               << " descriptors in the fd store, " << belongings.descriptors
               << " in the main process";
}

void FaultyService::boot(const Setting& setting, const std::string& configuration) {
    configuration_ = configuration;
    boot_configured(setting, configuration_);
}

void FaultyService::start_clients() {
    clients_ = start_everybody();
}

Belongings FaultyService::belongings() {
    // All of it in one go: a test asks again and again.
    std::istringstream counts(container().output_of(
        "eval $(systemctl show --property=MainPID,ControlGroup,NFileDescriptorStore " +
        std::string(unit) +
        ")\n"
        "wc -l </sys/fs/cgroup$ControlGroup/cgroup.procs\n"
        "echo $NFileDescriptorStore\n"
        "ls /proc/$MainPID/fd | wc -l"));
    Belongings result;
    counts >> result.processes >> result.stored >> result.descriptors;
    return result;
}

std::string FaultyService::list_descriptors() {
    return container().output_of("ls -l /proc/" + std::to_string(main_pid()) +
                                 "/fd | sed -n 's/.* \\([0-9]* -> \\)/\\1/p'");
}

// ---- successors

void FaultyService::install_script(const std::string& commands) const {
    install_binary("#!/bin/sh\n" + commands + "\n", std::filesystem::perms(0755));
}

ChildProcess FaultyService::start_reload_that_waits() {
    container().output_of(std::string("rm -f ") + gate + " && mkfifo " + gate);
    install_script(std::string("read line <") + gate + "\nexec " + program + " \"$@\"");
    auto reloading = container().spawn(std::string("systemctl reload ") + unit);
    // A fifo can be opened for writing without waiting only when there is a reader.
    const bool waits = eventually([this] {
        gate_.reset(::open(container().outside(gate).c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
        return static_cast<bool>(gate_);
    });
    if (!waits) throw std::runtime_error("the reload did not start a successor");
    install_good_binary();
    return reloading;
}

void FaultyService::repair() const {
    install_good_binary();
    configure(configuration_);
}

// ---- reloads that fail

void FaultyService::expect_failed_reload(const std::string& reason) {
    const Answer before = ask();
    const Finished reload = systemctl(std::string("reload ") + unit);
    EXPECT_NE(reload.exit_status, 0);
    EXPECT_LT(reload.duration, seconds(15));
    EXPECT_EQ(property("ActiveState"), "active");
    EXPECT_EQ(ask().pid, before.pid);
    EXPECT_EQ(main_pid(), before.pid);
    expect_reason_everywhere(reason);
}

void FaultyService::expect_failed_reload_by_signal(const std::string& reason) {
    const pid_t before = main_pid();
    kill({before}, "USR2");
    EXPECT_TRUE(
        eventually([&] { return contains(container().journal(unit), "handover failed: "); }));
    EXPECT_EQ(main_pid(), before);
    EXPECT_TRUE(contains(container().journal(unit), reason))
        << "the journal gives no reason with \"" << reason << '"';
}

void FaultyService::expect_reason_everywhere(const std::string& reason) {
    const std::string status = property("StatusText");
    EXPECT_TRUE(status.starts_with("handover failed: ")) << status;
    EXPECT_TRUE(contains(status, reason)) << status;
    EXPECT_TRUE(contains(container().journal(), reason))
        << "the journal gives no reason with \"" << reason << '"';
}

// ---- deaths

void FaultyService::await_restarts(int count) {
    const auto began = std::chrono::steady_clock::now();
    EXPECT_TRUE(eventually([&] { return property("NRestarts") == std::to_string(count); }));
    await_answers(1);
    EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(15)) << "everybody waits for it";
}

}  // namespace handover::test
