// SPDX-License-Identifier: MIT
// Supervisors that watch the one process which they started: `handoverd --anchor`.
#include "support/container.h"
#include "support/counting_client.h"
#include "support/load_report.h"
#include "support/processes.h"
#include "system/roots.h"
#include "system/service_under_load.h"

#include <gtest/gtest.h>

#include <iostream>
#include <map>

namespace handover::test {
namespace {

// As system.prepare_supervisors has them.
const std::vector<std::string> supervisor_packages{"runit", "supervisor"};
constexpr const char* target = "127.0.0.1:9999";
constexpr const char* command = "/usr/bin/handoverd --anchor --probation 200ms";

/// How to use one.
struct Supervisor {
    std::string name;
    std::string file;
    std::string content;
    std::string run;  ///< it, in the foreground
    std::string reload;
    std::string pid;  ///< prints it
    std::string stop;
};

std::ostream& operator<<(std::ostream& out, const Supervisor& supervisor) {
    return out << supervisor.name;
}

const std::vector<Supervisor> supervisors{
    {.name = "runit",
     .file = "/etc/sv/handoverd/run",
     .content = std::string("#!/bin/sh\nexec ") + command + "\n",
     .run = "runsv /etc/sv/handoverd",
     .reload = "sv 2 /etc/sv/handoverd",
     .pid = "cat /etc/sv/handoverd/supervise/pid",
     .stop = "sv -w 30 stop /etc/sv/handoverd"},
    {.name = "supervisord",
     .file = "/etc/supervisord-test.conf",
     .content = std::string(
                    "[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\n"
                    "pidfile=/run/supervisord-test.pid\n"
                    "[unix_http_server]\nfile=/run/supervisord-test.sock\n"
                    "[supervisorctl]\nserverurl=unix:///run/supervisord-test.sock\n"
                    "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = "
                    "supervisor.rpcinterface:make_main_rpcinterface\n"
                    "[program:handoverd]\nstopwaitsecs=30\nautorestart=true\nredirect_stderr=true\n"
                    "stdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\ncommand=") +
                command + "\n",
     .run = "supervisord -c /etc/supervisord-test.conf",
     .reload = "supervisorctl -c /etc/supervisord-test.conf signal USR2 handoverd",
     .pid = "supervisorctl -c /etc/supervisord-test.conf pid handoverd",
     .stop = "supervisorctl -c /etc/supervisord-test.conf stop handoverd"}};

class UnderSupervisor : public testing::TestWithParam<Supervisor> {
  protected:
    void SetUp() override {
        const auto& supervisor = GetParam();
        container_.output_of("systemctl disable --now handoverd.socket");
        container_.write_file(supervisor.file, supervisor.content, std::filesystem::perms(0755));
        supervisor_.emplace(container_.spawn("exec " + supervisor.run));
        ASSERT_TRUE(eventually([this] { return generation() == 1; }));
    }
    void TearDown() override {
        if (HasFailure() && supervisor_) std::cout << supervisor_->out() << supervisor_->err();
    }

    /// The one that answers; 0 if none does.
    [[nodiscard]] std::int64_t generation() const {
        return start_load({"--requests", "1", "--connections", "1"}).finish().last_generation();
    }
    [[nodiscard]] Load start_load(const std::vector<std::string>& options) const {
        return {container_.spawn_in_network(Load::command(target, options)), target};
    }
    [[nodiscard]] pid_t watched_pid() const {
        return static_cast<pid_t>(std::stol(container_.output_of(GetParam().pid)));
    }
    [[nodiscard]] pid_t serving_pid() const {
        const auto status = container_.output_of("handoverd status --json");
        constexpr std::string_view key = "\"pid\":";
        return static_cast<pid_t>(std::stol(status.substr(status.find(key) + key.size())));
    }

    Container container_{installed_root_of(all_suites().front(), supervisor_packages)};
    std::optional<ChildProcess> supervisor_;
};

INSTANTIATE_TEST_SUITE_P(, UnderSupervisor, testing::ValuesIn(supervisors),
                         [](const auto& test) { return test.param.name; });

TEST_P(UnderSupervisor, goes_through_20_reloads_under_load_and_a_stop) {
    const pid_t watched = watched_pid();
    Load keeping = start_load({"--keep-alive", "--connections", "64", "--rate", "1000"});
    keeping.await_answers(10);
    for (int number = 2; number <= 21; ++number) {
        container_.output_of(GetParam().reload);
        ASSERT_TRUE(eventually([&] { return generation() == number; }));
        keeping.await_answers(50);
    }
    EXPECT_EQ(watched_pid(), watched);
    EXPECT_NE(serving_pid(), watched);
    const LoadReport report = keeping.stop();
    std::cout << report << '\n';
    EXPECT_EQ(report.failed(), 0);
    EXPECT_EQ(report.reconnects, 0);
    EXPECT_EQ(report.closed_while_idle, 0);

    Load slow = start_load({"--path", "/hello?sleep=2s", "--requests", "2", "--connections", "2"});
    slow.await_all_sent();
    EXPECT_EQ(generation(), 21);
    container_.output_of(GetParam().stop);
    EXPECT_EQ(slow.finish().answered(), 2) << "a stop is graceful";
    EXPECT_EQ(generation(), 0);
}

TEST_P(UnderSupervisor, is_started_anew_after_a_crash) {
    container_.output_of(GetParam().reload);
    ASSERT_TRUE(eventually([&] { return generation() == 2; }));
    // The one that serves, when its predecessor has become the waiter.
    const pid_t watched = watched_pid();
    ASSERT_TRUE(eventually([&] {
        return container_.read_file("/proc/" + std::to_string(watched) + "/cmdline")
                   .find("anchor") == std::string("handoverd").size() + 1;
    }));
    container_.output_of("kill -KILL " + std::to_string(serving_pid()));
    ASSERT_TRUE(eventually([&] { return generation() == 1; })) << "there is no fd store to go on";
    EXPECT_NE(watched_pid(), watched);
}

}  // namespace
}  // namespace handover::test
