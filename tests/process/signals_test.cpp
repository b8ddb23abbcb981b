// SPDX-License-Identifier: MIT
// Stopping, leaving, and signals at the wrong moment.

#include "process/held_request.h"
#include "process/process_fixture.h"

#include <chrono>

namespace handover::test {
namespace {

namespace fs = std::filesystem;

class Signals : public ProcessTest {
  protected:
    [[nodiscard]] fs::path http_path() const { return directory_ / "http.sock"; }

    [[nodiscard]] DaemonOptions on_tcp_and_unix(std::vector<std::string> options = {}) const {
        auto start = with_options(std::move(options));
        start.listen = {"127.0.0.1:0", "unix:" + http_path().string()};
        return start;
    }

    /// A program in the place of the daemon's that never gets ready, and logs "successor hangs".
    void replace_by_hanging() const {
        install_text("#!/bin/sh\necho \"the successor (pid $$) hangs\" >&2\nexec sleep 600\n",
                     fs::perms::owner_all, program());
    }

    /// Stops with a request in flight, which is answered, while nobody new is let in.
    void expect_graceful_stop(int signal_number) const {
        Daemon daemon(directory_, on_tcp_and_unix());
        HeldRequest held(daemon.address());
        daemon.signal(signal_number);
        daemon.await_line("generation 1 stops: ");
        EXPECT_TRUE(eventually([&] { return refuses(daemon.address(0)); }));
        EXPECT_TRUE(eventually([&] { return refuses(daemon.address(1)); }));
        EXPECT_TRUE(eventually([&] { return refuses(daemon.admin()); }));
        EXPECT_TRUE(held.client().is_quiet());
        const auto response = held.finish();
        EXPECT_EQ(answer_in(response).body, "hello world\n");
        EXPECT_TRUE(response.says_close());
        EXPECT_EQ(daemon.await_end(), 0);
        EXPECT_TRUE(daemon.wait_for_only({}));
        EXPECT_TRUE(fs::is_empty(directory_.path()));
    }
};

TEST_F(Signals, SIGTERM_stops_after_the_requests_in_flight) {
    expect_graceful_stop(SIGTERM);
}

TEST_F(Signals, SIGINT_stops_after_the_requests_in_flight) {
    expect_graceful_stop(SIGINT);
}

TEST_F(Signals, SIGTERM_again_changes_nothing) {
    Daemon daemon(directory_, with_options({}));
    HeldRequest held(daemon.address());
    daemon.signal(SIGTERM);
    daemon.await_line("generation 1 stops");
    for (int i = 0; i < 3; ++i) daemon.signal(SIGTERM);
    EXPECT_TRUE(eventually([&] { return refuses(daemon.address()); }));
    for (int i = 0; i < 3; ++i) daemon.signal(SIGTERM);
    EXPECT_EQ(held.finish().body, "hello world\n");
    EXPECT_EQ(daemon.await_end(), 0);
}

TEST_F(Signals, SIGTERM_cuts_no_request_of_a_kept_connection) {
    Daemon daemon(directory_, with_options({}));
    Load load(daemon.address(), {"--keep-alive", "--connections", "4", "--rate", "400"});
    load.await_answers(50);
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.await_end(), 0);
    const auto report = load.stop();
    EXPECT_EQ(report.failed(), report.count(Outcome::refused)) << report;
    EXPECT_EQ(report.closed_while_idle, 0) << report;
    EXPECT_GT(report.announced_closes, 0) << report;
}

TEST_F(Signals, second_SIGINT_stops_now) {
    Daemon daemon(directory_, on_tcp_and_unix({"--drain-timeout", "10min"}));
    RawClient slow = start_slow_request(daemon, "60s");
    daemon.signal(SIGINT);
    daemon.await_line("generation 1 stops");
    EXPECT_TRUE(slow.is_quiet());
    daemon.signal(SIGINT);
    EXPECT_TRUE(slow.cut_by_server());
    EXPECT_EQ(daemon.await_end(), 0);
    EXPECT_TRUE(fs::is_empty(directory_.path()));
}

TEST_F(Signals, SIGINT_after_SIGTERM_stops_now) {
    Daemon daemon(directory_, with_options({"--drain-timeout", "10min"}));
    RawClient slow = start_slow_request(daemon, "60s");
    daemon.signal(SIGTERM);
    daemon.await_line("generation 1 stops");
    daemon.signal(SIGINT);
    EXPECT_TRUE(slow.cut_by_server());
    EXPECT_EQ(daemon.await_end(), 0);
}

TEST_F(Signals, drain_timeout_closes_what_is_left) {
    Daemon daemon(directory_, on_tcp_and_unix({"--drain-timeout", "300ms"}));
    RawClient slow = start_slow_request(daemon, "60s");
    const auto begin = std::chrono::steady_clock::now();
    daemon.signal(SIGTERM);
    EXPECT_TRUE(slow.closed_by_server());
    EXPECT_EQ(daemon.await_end(), 0);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
    const auto line = daemon.await_line("had not finished within the drain timeout");
    // A connection that asked whether the daemon serves may be among those that are held.
    EXPECT_NE(line.find("1 cut at deadline; 1 connection had"), std::string::npos) << line;
    EXPECT_TRUE(fs::is_empty(directory_.path()));
}

TEST_F(Signals, drain_timeout_ends_a_predecessor_too) {
    Daemon daemon(directory_, with_options({"--drain-timeout", "300ms"}));
    const auto old = daemon.pid();
    RawClient slow = start_slow_request(daemon, "60s");
    EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_TRUE(slow.closed_by_server());
    EXPECT_EQ(await_end(old), 0);
    EXPECT_EQ(daemon.ask().generation, 2U);
}

TEST_F(Signals, SIGTERM_during_a_reload_stops_both_generations) {
    Daemon daemon(directory_, from_copy({"--ready-timeout", "10min"}));
    const auto old = daemon.pid();
    replace_by_hanging();
    auto reload = daemon.start_reload();
    const auto successor = pid_in(daemon.await_line(" hangs"));
    EXPECT_EQ(daemon.processes().back(), successor);
    daemon.signal(SIGTERM);
    EXPECT_EQ(await_end(old), 0);
    EXPECT_TRUE(daemon.wait_for_only({}));
    const auto told = reload.wait(timeout);
    ASSERT_TRUE(told);
    EXPECT_EQ(told->exit_status, 1);
    EXPECT_NE(told->err.find("handover failed: generation 1 was asked to end before the successor "
                             "was ready"),
              std::string::npos)
        << told->err;
    EXPECT_EQ(told->err.find("serves on"), std::string::npos) << told->err;
    EXPECT_FALSE(fs::exists(directory_ / "admin.sock"));
}

TEST_F(Signals, SIGTERM_to_both_generations_stops_both) {
    // As systemd does it under KillMode=control-group, also when a predecessor still drains.
    Daemon daemon(directory_, with_options({}));
    const auto old = daemon.pid();
    HeldRequest held(daemon.address());
    EXPECT_EQ(daemon.reload().status, 0);
    ::kill(old, SIGTERM);
    daemon.signal(SIGTERM);
    daemon.await_line("generation 1 stops");
    daemon.await_line("generation 2 ended");
    EXPECT_EQ(answer_in(held.finish()).pid, old);
    EXPECT_EQ(await_end(old), 0);
    EXPECT_EQ(daemon.await_end(), 0);
    EXPECT_TRUE(daemon.wait_for_only({}));
}

TEST_F(Signals, second_reload_is_refused_while_one_runs) {
    Daemon daemon(directory_, from_copy({"--ready-timeout", "10min"}));
    const auto old = daemon.pid();
    replace_by_hanging();
    auto first_reload = daemon.start_reload();
    const auto successor = pid_in(daemon.await_line(" hangs"));
    const auto second = daemon.reload();
    EXPECT_EQ(second.status, 1);
    EXPECT_EQ(second.out, "");
    EXPECT_EQ(second.err, "generation 1 cannot hand over now: it is handing over to pid " +
                              std::to_string(successor) + "\n");
    // The refusal has not disturbed the one that runs.
    EXPECT_TRUE(daemon.wait_for_state("handing over"));
    EXPECT_FALSE(ProcessView{successor}.descriptors().empty());
    EXPECT_EQ(daemon.ask().pid, old);

    ::kill(successor, SIGKILL);
    const auto told = first_reload.wait(timeout);
    ASSERT_TRUE(told);
    EXPECT_EQ(told->exit_status, 1);
    EXPECT_NE(told->err.find("died of SIGKILL"), std::string::npos) << told->err;
    install(handoverd_next_program(), program());
    EXPECT_EQ(daemon.reload().status, 0);
}

TEST_F(Signals, SIGUSR1_leaves_for_a_restart) {
    Daemon daemon(directory_, on_tcp_and_unix());
    HeldRequest held(daemon.address());
    daemon.signal(SIGUSR1);
    daemon.await_line("generation 1 leaves for a restart: ");
    EXPECT_EQ(held.finish().body, "hello world\n");
    EXPECT_EQ(daemon.await_end(), 0);
    // Somebody else may hold the listeners behind these paths.
    EXPECT_TRUE(fs::is_socket(http_path()));
    EXPECT_TRUE(fs::is_socket(directory_ / "admin.sock"));

    Daemon restarted(directory_, on_tcp_and_unix());
    EXPECT_EQ(answer_in(RawClient(restarted.address(1)).get("/hello")).pid, restarted.pid());
}

TEST_F(Signals, crash_leaves_nothing_that_stops_the_next_start) {
    Daemon daemon(directory_, on_tcp_and_unix());
    auto again = on_tcp_and_unix();
    again.listen[0] = daemon.address().to_string();
    daemon.signal(SIGKILL);
    EXPECT_EQ(daemon.await_end(), -SIGKILL);
    const Daemon restarted(directory_, again);
    EXPECT_EQ(restarted.ask().pid, restarted.pid());
    EXPECT_EQ(answer_in(RawClient(restarted.address(1)).get("/hello")).pid, restarted.pid());
}

}  // namespace
}  // namespace handover::test
