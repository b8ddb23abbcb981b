// SPDX-License-Identifier: MIT
// Supervisors that know one pid: the process that they started stays, whichever generation serves.
#include "handover/ledger/ledger.h"
#include "process/held_request.h"
#include "process/process_fixture.h"

#include <unistd.h>

#include <csignal>
#include <fstream>

namespace handover::test {
namespace {

class AnchorTest : public ProcessTest {
  protected:
    explicit AnchorTest(const std::vector<std::string>& options = {})
        : daemon_(directory_, from_copy(with_anchor(options))), anchor_(daemon_.first_pid()) {}

    /// As its supervisor would: to the process that it started.
    void signal(int number) const { ::kill(anchor_, number); }
    pid_t reload() {
        signal(SIGUSR2);
        return daemon_.await_generation(daemon_.generation() + 1);
    }
    void become_waiter() {
        reload();
        (void)daemon_.await_line("stays as the anchor");
        EXPECT_TRUE(daemon_.wait_for_only({anchor_, daemon_.pid()}));
    }

    Daemon daemon_;
    const pid_t anchor_;

  private:
    static std::vector<std::string> with_anchor(std::vector<std::string> options) {
        options.emplace_back("--anchor");
        return options;
    }
};

TEST_F(AnchorTest, stays_through_20_reloads_under_load) {
    Load keeping(daemon_.address(), {"--keep-alive", "--connections", "8", "--rate", "400"});
    Load fresh(daemon_.address(), {"--connections", "4", "--rate", "200"});
    for (int i = 0; i < 20; ++i) {
        const pid_t successor = reload();
        EXPECT_EQ(daemon_.ask().pid, successor);
        fresh.await_answers(5);
    }
    EXPECT_TRUE(daemon_.wait_for_only({anchor_, daemon_.pid()})) << "all others have been reaped";
    const auto report = expect_nothing_lost(keeping);
    EXPECT_EQ(report.reconnects, 0);
    EXPECT_EQ(report.generations.size(), 21U) << report;
    expect_nothing_lost(fresh);

    signal(SIGTERM);
    EXPECT_EQ(await_end(anchor_), 0);
    EXPECT_TRUE(daemon_.wait_for_only({}));
}

TEST_F(AnchorTest, is_a_tiny_waiter_when_the_first_generation_has_drained) {
    install(handoverd_next_program(), program());
    become_waiter();
    ASSERT_TRUE(eventually([&] {
        const auto arguments = ProcessView{anchor_}.arguments();
        return arguments.size() > 1 && arguments[1] == "anchor";  // none in the middle of execve(2)
    }));
    const ProcessView waiter{anchor_};
    EXPECT_EQ(waiter.threads(), 1U);
    EXPECT_TRUE(eventually([&] { return waiter.descriptors().size() == 4; }))
        << "0, 1, 2 and the ledger, once it has been loaded";
    EXPECT_EQ(waiter.executable(), program().string() + " (deleted)") << "not the new one";
    EXPECT_EQ(daemon_.status().at("version"), HANDOVERD_VERSION "-next");
}

TEST_F(AnchorTest, is_not_needed_by_a_generation_that_stops_without_having_handed_over) {
    signal(SIGTERM);
    EXPECT_EQ(await_end(anchor_), 0);
    EXPECT_EQ(daemon_.log().find("stays as the anchor"), std::string::npos);
}

TEST_F(AnchorTest, waits_for_the_requests_of_the_generation_that_stops) {
    become_waiter();
    HeldRequest held(daemon_.address());
    signal(SIGTERM);
    (void)daemon_.await_line("generation 2 stops");
    EXPECT_EQ(held.finish().status, 200);
    EXPECT_EQ(await_end(anchor_), 0);
}

TEST_F(AnchorTest, passes_a_stop_on_while_the_first_generation_drains) {
    HeldRequest held(daemon_.address());
    reload();
    reload();  // ends the probation: the first one drains, and is the main process no more
    EXPECT_EQ(daemon_.ask().generation, 3U);
    signal(SIGTERM);
    EXPECT_TRUE(eventually([&] { return refuses(daemon_.address()); })) << "all of them stop";
    EXPECT_TRUE(held.client().is_quiet());
    EXPECT_EQ(held.finish().status, 200);
    EXPECT_EQ(await_end(anchor_), 0);
    EXPECT_TRUE(daemon_.wait_for_only({}));
}

TEST_F(AnchorTest, ends_a_service_that_is_stopped_on_probation) {
    HeldRequest old(daemon_.address());
    reload();
    HeldRequest young(daemon_.address());
    signal(SIGTERM);
    EXPECT_TRUE(eventually([&] { return refuses(daemon_.address()); })) << "both stop";
    EXPECT_EQ(answer_in(old.finish()).generation, 1U);
    EXPECT_EQ(answer_in(young.finish()).generation, 2U);
    EXPECT_EQ(await_end(anchor_), 0);
    EXPECT_TRUE(daemon_.wait_for_only({}));
}

TEST_F(AnchorTest, ends_with_the_status_of_a_main_process_that_crashes) {
    become_waiter();
    daemon_.signal(SIGKILL);
    EXPECT_EQ(await_end(anchor_), 128 + SIGKILL);
    EXPECT_NE(daemon_.log().find("ended with status 137, and so does its anchor"),
              std::string::npos);
    EXPECT_TRUE(refuses(daemon_.address())) << "the address is free for what is started next";
}

TEST_F(AnchorTest, is_not_moved_by_a_rollback) {
    become_waiter();
    HeldRequest held(daemon_.address());  // keeps the next one on probation
    const pid_t main = daemon_.pid();
    const auto before = daemon_.log_size();
    const pid_t successor = reload();
    ::kill(successor, SIGKILL);
    (void)daemon_.await_rollback(before);
    EXPECT_EQ(daemon_.ask().pid, main);
    EXPECT_TRUE(daemon_.wait_for_only({anchor_, main}));
    EXPECT_EQ(held.finish().status, 200);
    signal(SIGUSR2);
    EXPECT_TRUE(eventually([&] { return daemon_.ask().pid != main; })) << "the next one is good";
    signal(SIGTERM);
    EXPECT_EQ(await_end(anchor_), 0);
}

TEST_F(AnchorTest, goes_on_with_the_successor_of_a_main_process_that_is_killed) {
    become_waiter();
    RawClient slow = start_slow_request(daemon_, "30s");  // keeps the next one on probation
    RawClient idle(daemon_.address(), timeout);
    (void)idle.get("/hello");
    const pid_t main = daemon_.pid();
    const pid_t successor = reload();
    EXPECT_TRUE(eventually([&] { return answer_in(idle.get("/hello")).pid == successor; }))
        << "a connection moves once it is parked, which may be after ready";
    ::kill(main, SIGKILL);
    EXPECT_TRUE(daemon_.wait_for_only({anchor_, successor}));
    EXPECT_EQ(answer_in(idle.get("/hello")).pid, successor);
    signal(SIGTERM);
    EXPECT_EQ(await_end(anchor_), 0) << "it knows the new main process";
}

class BetweenTwoMainProcesses : public AnchorTest, public testing::WithParamInterface<int> {};

TEST_P(BetweenTwoMainProcesses, a_signal_is_kept_for_the_second) {
    become_waiter();
    RawClient slow = start_slow_request(daemon_, "30s");
    const pid_t main = daemon_.pid();
    const pid_t successor = reload();
    ::kill(successor, SIGSTOP);
    ::kill(main, SIGKILL);
    EXPECT_TRUE(daemon_.wait_for_only({anchor_, successor}));
    signal(GetParam());
    ::kill(successor, SIGCONT);
    EXPECT_EQ(await_end(anchor_), 0);
    EXPECT_TRUE(daemon_.wait_for_only({}));
}

INSTANTIATE_TEST_SUITE_P(Anchor, BetweenTwoMainProcesses, testing::Values(SIGTERM, SIGINT),
                         [](const auto& test) {
                             return test.param == SIGTERM ? "SIGTERM" : "SIGINT";
                         });

TEST_F(AnchorTest, takes_the_service_with_it_when_it_is_killed) {
    become_waiter();
    HeldRequest held(daemon_.address());
    signal(SIGKILL);
    (void)daemon_.await_line("generation 2 stops");
    EXPECT_EQ(held.finish().status, 200) << "but gracefully";
    EXPECT_TRUE(daemon_.wait_for_only({}));
    EXPECT_TRUE(refuses(daemon_.address())) << "the address is free for what is started next";
}

TEST_F(AnchorTest, takes_the_service_with_it_when_it_is_killed_before_it_has_drained) {
    RawClient slow = start_slow_request(daemon_, "30s");
    const pid_t successor = reload();
    signal(SIGKILL);
    (void)daemon_.await_line("generation 2 stops");
    EXPECT_EQ(await_end(successor), 0);
    EXPECT_TRUE(refuses(daemon_.address()));
}

/// The test is the anchor, so that it decides when a signal comes.
class LateSignal : public ProcessTest {
  protected:
    LateSignal() {
        sigemptyset(&set_);
        sigaddset(&set_, SIGUSR2);
        ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
    }
    ~LateSignal() override {
        ledger_.set_anchor_pid(0);
        const timespec at_once{};
        (void)::sigtimedwait(&set_, nullptr, &at_once);
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    [[nodiscard]] pid_t sender_of_the_next() const {
        siginfo_t info{};
        const timespec within{std::chrono::duration_cast<std::chrono::seconds>(timeout).count(), 0};
        return ::sigtimedwait(&set_, &info, &within) == SIGUSR2 ? info.si_pid : -1;
    }

    Ledger ledger_;

  private:
    sigset_t set_{};
    sigset_t before_{};
};

TEST_F(LateSignal,
       of_the_anchor_goes_back_to_it_from_a_generation_that_is_the_main_process_no_more) {
    Daemon daemon(directory_, {.process = {.inherited = {{Ledger::fd_name, ledger_.fd()}}}});
    const pid_t first = daemon.first_pid();
    RawClient slow = start_slow_request(daemon, "30s");
    for (const int number : {2, 3}) {  // the third ends the probation of the second
        daemon.signal(SIGUSR2);
        daemon.await_generation(number);
    }
    ::kill(first, SIGUSR2);
    (void)daemon.await_line("generation 1 cannot hand over now");  // it was meant for this one
    ledger_.set_anchor_pid(::getpid());
    ::kill(first, SIGUSR2);
    EXPECT_EQ(sender_of_the_next(), first);
}

class NoAnchor : public ProcessTest {};

TEST_F(NoAnchor, is_made_by_hand) {
    for (const std::string descriptor : {"0", "99999"}) {
        const auto told = run_command({handoverd_program(), "anchor", descriptor}, timeout);
        EXPECT_EQ(told.exit_status, 64) << descriptor;
        EXPECT_NE(told.err.find("not to be called"), std::string::npos) << told.err;
    }
    EXPECT_EQ(run_command({handoverd_program(), "anchor"}, timeout).exit_status, 64);
}

// ---- PID 1 of a container

/// A program as the first process of a pid namespace, where its pids mean others than here.
class PidNamespace {
  public:
    explicit PidNamespace(const std::vector<std::string>& command) : process_(start_of(command)) {}

    /// Returns when that generation serves, with the line that says so.
    std::string await_generation(int number) {
        return process_.await_line("generation " + std::to_string(number) + " (pid ");
    }
    /// Asks its init to hand over; returns when the next one serves.
    void reload(int to) {
        signal(SIGUSR2);
        (void)process_.await_line(") took over from " + std::to_string(to - 1) + " ");
        (void)await_generation(to);
    }
    void await_anchor() { (void)process_.await_line("stays as the anchor"); }
    /// To its init.
    void signal(int number) const { ::kill(init(), number); }
    [[nodiscard]] Finished run(const std::string& command) const {
        return run_command({"nsenter", "--target", std::to_string(init()), "--pid", "--mount", "sh",
                            "-c", command},
                           timeout);
    }
    /// The exit status of its init, or 128 and the number of a signal.
    [[nodiscard]] int await_end() const { return test::await_end(process_.first_pid()); }

  private:
    static ProcessOptions start_of(const std::vector<std::string>& command) {
        ProcessOptions start;
        start.argv = {"/usr/bin/unshare", "--pid", "--fork", "--kill-child", "--mount-proc"};
        start.argv.insert(start.argv.end(), command.begin(), command.end());
        return start;
    }
    [[nodiscard]] pid_t init() const {
        const auto unshare = std::to_string(process_.first_pid());
        std::ifstream children("/proc/" + unshare + "/task/" + unshare + "/children");
        pid_t pid = -1;
        children >> pid;
        if (pid <= 1) throw std::runtime_error("the pid namespace has no init");
        return pid;
    }

    ServerProcess process_;
};

class ContainerInit : public ProcessTest {
  protected:
    PidNamespace container_{command_line(directory_, {})};
    const Endpoint address_ = endpoint_in(container_.await_generation(1), "http");
};

TEST_F(ContainerInit, keeps_the_container_alive_through_20_reloads_under_load) {
    Load keeping(address_, {"--keep-alive", "--connections", "8", "--rate", "400"});
    for (int number = 2; number <= 21; ++number) {
        container_.reload(number);
        keeping.await_answers(20);
    }
    const auto report = expect_nothing_lost(keeping);
    EXPECT_EQ(report.reconnects, 0);
    EXPECT_EQ(report.generations.size(), 21U) << report;
    container_.signal(SIGTERM);
    EXPECT_EQ(container_.await_end(), 0);
}

TEST_F(ContainerInit, reaps_orphans) {
    container_.reload(2);
    container_.await_anchor();
    EXPECT_EQ(container_.run("(sleep 0.01 &) ; exit 0").exit_status, 0);
    EXPECT_TRUE(eventually(
        [&] { return container_.run("grep -l ^State:.Z /proc/[0-9]*/status").out.empty(); }));
}

TEST_F(ContainerInit, ends_the_container_with_the_status_of_a_main_process_that_crashes) {
    container_.reload(2);
    container_.await_anchor();
    const auto main = pid_in(container_.await_generation(2));
    // Who kills it is inside, too, and may end with the container before it could say that it did.
    (void)container_.run("kill -KILL " + std::to_string(main));
    EXPECT_EQ(container_.await_end(), 128 + SIGKILL);
}

class ContainerOfTheLibrary : public ProcessTest {};

TEST_F(ContainerOfTheLibrary, program_that_uses_the_library_keeps_its_container_alive_as_well) {
    PidNamespace container({echo_tcp_program(), "127.0.0.1:0"});
    const auto address = endpoint_in(container.await_generation(1), "echo");
    container.reload(2);
    container.reload(3);  // ends the probation of the second one
    container.await_anchor();
    RawClient client(address, timeout);
    client.send("still there?");
    EXPECT_EQ(client.receive_bytes(12), "still there?");
    container.signal(SIGTERM);
    EXPECT_EQ(container.await_end(), 0);
}

}  // namespace
}  // namespace handover::test
