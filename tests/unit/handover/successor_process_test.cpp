// SPDX-License-Identifier: MIT
#include "handover/peer/successor_process.h"

#include "handover/error.h"
#include "support/listening.h"
#include "support/open_descriptors.h"
#include "support/pipe.h"
#include "support/subreaper.h"
#include "support/temporary_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace handover::test {
namespace {

using testing::HasSubstr;

Program child_program(std::vector<std::string> arguments) {
    Program program;
    program.executable = CHILD_PROGRAM;
    program.arguments = std::move(arguments);
    program.arguments.insert(program.arguments.begin(), "as-it-was-called");
    program.directory = "/";
    ::sigemptyset(&program.signal_mask);
    return program;
}

class SuccessorProcessTest : public testing::Test {
  protected:
    ~SuccessorProcessTest() override {
        EXPECT_FALSE(Subreaper::has_children()) << "a process or a zombie is left";
        EXPECT_EQ(open_descriptors(), before_);
    }

    /// What `child_program report-self` says, line by line, with a newline before each.
    std::string report_of(const Program& program, std::vector<PassedFd> more = {}) {
        Pipe pipe;
        more.insert(more.begin(), {"report", pipe.out.get()});
        auto successor = SuccessorProcess::start(program, more);
        pipe.out.reset();
        auto report = "\n" + read_to_end(pipe.in.get());
        EXPECT_TRUE(wait_for_input(successor.pidfd()));
        EXPECT_EQ(successor.how_it_ended(), "exited with status 0");
        EXPECT_THAT(report, HasSubstr("\npid " + std::to_string(successor.pid()) + "\n"));
        return report;
    }

    /// A program that cannot be started, and why.
    static std::string fault_of(const Program& program, const std::vector<PassedFd>& fds = {}) {
        const auto before = open_descriptors();
        std::string fault = "started";
        try {
            (void)SuccessorProcess::start(program, fds);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), Error::Kind::os);
            fault = error.what();
        }
        EXPECT_FALSE(reap_failed()) << "the intermediate is a zombie";
        EXPECT_EQ(open_descriptors(), before);
        return fault;
    }

    /// The process that could not exec is an orphan for a moment, and ours to reap.
    static bool reap_failed() {
        while (::waitpid(-1, nullptr, 0) > 0) continue;
        return Subreaper::has_children();
    }

    static std::string end_of(std::vector<std::string> arguments) {
        auto successor = SuccessorProcess::start(child_program(std::move(arguments)), {});
        EXPECT_TRUE(wait_for_input(successor.pidfd()));
        return successor.how_it_ended();
    }

  private:
    const Subreaper subreaper_;
    const std::set<int> before_ = open_descriptors();
};

/// A process that lives until the test lets go of it.
struct Living {
    Pipe pipe;
    SuccessorProcess successor;

    Living()
        : successor(
              SuccessorProcess::start(child_program({"wait"}), {{"report", pipe.out.get()}})) {
        pipe.out.reset();
        std::string alive(6, ' ');
        EXPECT_EQ(::read(pipe.in.get(), alive.data(), alive.size()), 6);
        EXPECT_EQ(alive, "alive\n");
    }
    [[nodiscard]] bool lives() const { return successor.signal(0); }
};

// ---- how it is started

TEST_F(SuccessorProcessTest, is_started_as_we_were) {
    const TemporaryDirectory directory;
    auto program = child_program({"report-self", "", "two words", "x=y"});
    program.directory = std::filesystem::canonical(directory.path());
    const auto report = report_of(program);
    EXPECT_THAT(report, HasSubstr("\nargument \nargument two words\nargument x=y\n"));
    EXPECT_THAT(report, HasSubstr("\ndirectory " + program.directory + "\n"));
}

TEST_F(SuccessorProcessTest, gets_the_environment_with_its_own_pid_in_it) {
    auto program = child_program({"report-self"});
    program.environment = {"GREETING=hello", "WATCHDOG_PID=1", "SYSTEMD_EXEC_PID=1", "LISTEN_PID=1",
                           "LISTEN_FDNAMES=old"};
    const ListeningSocket http("127.0.0.1:0");
    const auto report = report_of(program, {{"http", http.fd()}});
    const auto pid = report.substr(5, report.find('\n', 5) - 5);  // "\npid N\n"
    EXPECT_THAT(report, HasSubstr("\nenv GREETING=hello\n"));
    EXPECT_THAT(report, HasSubstr("\nenv LISTEN_FDS=2\nenv LISTEN_FDNAMES=report:http\n"));
    EXPECT_THAT(report, HasSubstr("\nenv LISTEN_PID=" + pid + "\n"));
    EXPECT_THAT(report, HasSubstr("\nenv WATCHDOG_PID=" + pid + "\n"));
    EXPECT_THAT(report, HasSubstr("\nenv SYSTEMD_EXEC_PID=" + pid + "\n"));
}

TEST_F(SuccessorProcessTest, gets_the_signal_mask_that_we_were_started_with) {
    auto program = child_program({"report-self"});
    EXPECT_THAT(report_of(program), HasSubstr("\nSigBlk:\t0000000000000000\n"));
    ::sigaddset(&program.signal_mask, SIGUSR1);
    EXPECT_THAT(report_of(program), HasSubstr("\nSigBlk:\t0000000000000200\n"));
}

TEST_F(SuccessorProcessTest, leaves_our_own_signal_mask_alone) {
    sigset_t before;
    sigset_t after;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
    EXPECT_EQ(end_of({"exit", "0"}), "exited with status 0");
    ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
    for (int number = 1; number < NSIG; ++number)
        EXPECT_EQ(::sigismember(&after, number), ::sigismember(&before, number)) << number;
}

TEST_F(SuccessorProcessTest, has_exactly_the_standard_streams_and_what_was_passed) {
    const ListeningSocket http("127.0.0.1:0");
    // What a library of the program opened without O_CLOEXEC, near and far.
    const UniqueFd careless(::open("/dev/null", O_RDONLY));
    const UniqueFd far(::fcntl(careless.get(), F_DUPFD, 200));
    ASSERT_FALSE(is_cloexec(far.get()));
    const auto report =
        report_of(child_program({"report-self"}), {{"http", http.fd()}, {"again", http.fd()}});
    EXPECT_THAT(report, HasSubstr("\ndescriptors 0 1 2 3 4 5\n"));
}

TEST_F(SuccessorProcessTest, gets_descriptors_in_order_wherever_ours_were) {
    // Ours already stand where they must go, but the other way round.
    const UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    Pipe pipe;
    std::vector<PassedFd> fds;
    for (const int fd : {pipe.out.get(), null.get(), pipe.in.get()}) fds.push_back({"x", fd});
    auto successor = SuccessorProcess::start(child_program({"report-self"}), fds);
    pipe.out.reset();
    EXPECT_THAT(read_to_end(pipe.in.get()), HasSubstr("\ndescriptors 0 1 2 3 4 5\n"))
        << "the first of them is the one that is written to";
    EXPECT_TRUE(wait_for_input(successor.pidfd()));
    EXPECT_EQ(successor.how_it_ended(), "exited with status 0");
}

// ---- what can go wrong before it runs

TEST_F(SuccessorProcessTest, says_that_the_executable_is_missing) {
    auto program = child_program({});
    program.executable = "/nonexistent/program";
    EXPECT_EQ(fault_of(program), "exec /nonexistent/program: No such file or directory");
}

TEST_F(SuccessorProcessTest, says_that_it_is_not_executable) {
    const TemporaryDirectory directory;
    auto program = child_program({});
    program.executable = directory / "program";
    std::filesystem::copy_file(CHILD_PROGRAM, program.executable);
    ASSERT_EQ(::chmod(program.executable.c_str(), 0644), 0);
    EXPECT_EQ(fault_of(program), "exec " + program.executable + ": Permission denied");
}

TEST_F(SuccessorProcessTest, says_that_it_is_no_program) {
    const TemporaryDirectory directory;
    auto program = child_program({});
    program.executable = directory / "program";
    std::ofstream(program.executable) << "half an upload";
    ASSERT_EQ(::chmod(program.executable.c_str(), 0755), 0);
    EXPECT_EQ(fault_of(program), "exec " + program.executable + ": Exec format error");
}

TEST_F(SuccessorProcessTest, says_that_its_directory_is_gone) {
    auto program = child_program({"exit", "0"});
    program.directory = "/nonexistent/directory";
    EXPECT_EQ(fault_of(program), "chdir /nonexistent/directory: No such file or directory");
}

TEST_F(SuccessorProcessTest, says_that_a_descriptor_cannot_be_passed) {
    EXPECT_EQ(fault_of(child_program({"exit", "0"}), {{"http", -1}}),
              "passing the descriptors: Bad file descriptor");
}

TEST_F(SuccessorProcessTest, starts_again_after_a_failure) {
    auto missing = child_program({});
    missing.executable = "/nonexistent/program";
    EXPECT_NE(fault_of(missing), "started");
    EXPECT_EQ(end_of({"exit", "0"}), "exited with status 0");
}

// ---- how it ends

TEST_F(SuccessorProcessTest, tells_its_exit_status) {
    EXPECT_EQ(end_of({"exit", "0"}), "exited with status 0");
    EXPECT_EQ(end_of({"exit", "1"}), "exited with status 1");
    EXPECT_EQ(end_of({"exit", "78"}), "exited with status 78");
}

TEST_F(SuccessorProcessTest, tells_the_signal_that_it_died_of) {
    EXPECT_EQ(end_of({"die", std::to_string(SIGSEGV)}), "died of SIGSEGV");
    EXPECT_EQ(end_of({"die", std::to_string(SIGKILL)}), "died of SIGKILL");
}

TEST_F(SuccessorProcessTest, can_be_signalled_until_it_is_gone) {
    Living living;
    EXPECT_TRUE(living.successor.signal(SIGTERM));
    EXPECT_TRUE(wait_for_input(living.successor.pidfd()));
    EXPECT_EQ(living.successor.how_it_ended(), "died of SIGTERM");
    EXPECT_FALSE(living.successor.signal(SIGTERM));
}

// ---- whose child it is

TEST_F(SuccessorProcessTest, is_not_our_child_until_released) {
    Living living;
    const auto pid = living.successor.pid();
    EXPECT_NE(parent_of(pid), ::getpid());
    living.successor.release();
    EXPECT_EQ(parent_of(pid), ::getpid()) << "as the nearest subreaper";
    EXPECT_TRUE(living.lives());
    living.pipe.in.reset();
    EXPECT_EQ(Subreaper::reap(pid), 0);
    EXPECT_EQ(living.successor.how_it_ended(), "ended") << "nobody can tell any more";
    EXPECT_FALSE(living.successor.signal(0));
}

TEST_F(SuccessorProcessTest, lives_on_when_released) {
    pid_t pid = -1;
    UniqueFd hold;
    {
        Living living;
        living.successor.release();
        pid = living.successor.pid();
        hold = std::move(living.pipe.in);
    }
    EXPECT_EQ(::kill(pid, 0), 0);
    hold.reset();
    EXPECT_EQ(Subreaper::reap(pid), 0) << "ended by itself";
}

TEST_F(SuccessorProcessTest, is_killed_with_the_object_when_not_released) {
    pid_t pid = -1;
    UniqueFd hold;
    {
        Living living;
        pid = living.successor.pid();
        hold = std::move(living.pipe.in);
    }
    // Its parent may have reaped it before us.
    const auto status = Subreaper::reap(pid);
    EXPECT_TRUE(!status || WTERMSIG(*status) == SIGKILL);
    EXPECT_EQ(::kill(pid, 0), -1) << "still alive";
}

TEST_F(SuccessorProcessTest, moves_with_the_object) {
    Living living;
    const auto pid = living.successor.pid();
    SuccessorProcess moved(std::move(living.successor));
    EXPECT_EQ(moved.pid(), pid);
    EXPECT_TRUE(moved.signal(SIGKILL));
    EXPECT_TRUE(wait_for_input(moved.pidfd()));
    EXPECT_EQ(moved.how_it_ended(), "died of SIGKILL");
}

TEST_F(SuccessorProcessTest, is_killed_when_another_is_assigned_over_it) {
    Living first;
    Living second;
    const auto pid = first.successor.pid();
    first.successor = std::move(second.successor);
    const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    EXPECT_TRUE(!pidfd || wait_for_input(pidfd.get(), std::chrono::milliseconds(2000)))
        << "neither released nor killed";
    first.pipe.in.reset();
    second.pipe.in.reset();
    (void)Subreaper::reap(pid);
    EXPECT_TRUE(wait_for_input(first.successor.pidfd()));
    EXPECT_EQ(first.successor.how_it_ended(), "exited with status 0");
}

TEST_F(SuccessorProcessTest, can_be_started_again_and_again) {
    for (int i = 0; i < 20; ++i) EXPECT_EQ(end_of({"exit", "7"}), "exited with status 7");
}

}  // namespace
}  // namespace handover::test
