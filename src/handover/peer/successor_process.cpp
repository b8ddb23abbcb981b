// SPDX-License-Identifier: MIT
#include "handover/peer/successor_process.h"

#include "handover/error.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>

// clone(2) under the name that no sanitizer intercepts: they take every clone for a fork.
// NOLINTNEXTLINE(bugprone-reserved-identifier): glibc's name for it
extern "C" int __clone(int (*function)(void*), void* stack, int flags, void* argument, ...);

// Code that runs in a process which shares our memory, and with it the thread-local state of the
// thread it was cloned from: cancellation, errno, the sanitizers' bookkeeping. So it is not
// instrumented, and makes its system calls by syscall(2), which nobody wraps.
#define HANDOVER_IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined"), noinline))

namespace handover {
namespace {

constexpr int first_passed_fd = 3;
/// Room for the digits of a pid, which the child writes over them.
constexpr std::string_view blank_pid = "          ";
constexpr std::array filled_in_by_child = {std::string_view("LISTEN_PID="),
                                           std::string_view("WATCHDOG_PID="),
                                           std::string_view("SYSTEMD_EXEC_PID=")};

constexpr std::size_t kernel_sigset_size = (_NSIG - 1) / 8;

enum class ChildStage : int { none, clone, descriptors, directory, exec };

/// What comes back over the pipe.
struct ChildReport {
    enum class Kind : int { failed, started, ended } kind;
    ChildStage stage;  ///< failed: where
    int number;        ///< failed: errno; started: pid; ended: wait status
};

/// A stack for a child that shares our memory, with a guard page below.
class Stack {
  public:
    Stack()
        : base_(static_cast<char*>(::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0))) {
        if (base_ == MAP_FAILED) throw os_error("cannot start a successor: no stack for it", errno);
        ::mprotect(base_, guard, PROT_NONE);
    }
    ~Stack() { ::munmap(base_, size); }
    Stack(const Stack&) = delete;
    Stack& operator=(const Stack&) = delete;
    [[nodiscard]] void* top() const { return base_ + size; }

  private:
    static constexpr std::size_t size = std::size_t{128} * 1024;
    static constexpr std::size_t guard = 4096;
    char* base_;
};

/// Everything the children need, made before the first of them exists: they must not allocate.
struct Plan {
    const char* executable = nullptr;
    const char* directory = nullptr;
    std::vector<char*> argv;
    std::vector<char*> envp;
    std::vector<char*> pid_places;  ///< into envp's strings
    std::vector<int> fds;
    std::vector<int> handled_signals;
    sigset_t signal_mask{};
    int report_fd = -1;
    void* successor_stack = nullptr;
    int pidfd = -1;  ///< written by the kernel: CLONE_PIDFD, into the shared table
};

HANDOVER_IN_CHILD void report(int fd, ChildReport what) {
    // It fits into the pipe, which is empty.
    ::syscall(SYS_write, fd, &what, sizeof what);
}

HANDOVER_IN_CHILD void write_pid(char* place, pid_t pid) {
    char digits[16];
    int count = 0;
    for (; pid > 0; pid /= 10) digits[count++] = static_cast<char>('0' + pid % 10);
    while (count > 0) *place++ = digits[--count];
    *place = '\0';
}

/// No handler of ours may run in the child: it would run in our memory.
HANDOVER_IN_CHILD void reset_signal_handlers(const Plan& plan) {
    // All zero means SIG_DFL, whatever the architecture's order of the fields.
    constexpr unsigned long defaults[16] = {};
    for (const int number : plan.handled_signals)
        ::syscall(SYS_rt_sigaction, number, defaults, nullptr, kernel_sigset_size);
}

/// First all out of the way, then each to its place; the copies are not close-on-exec.
HANDOVER_IN_CHILD bool place_descriptors(Plan& plan) {
    const int end = first_passed_fd + static_cast<int>(plan.fds.size());
    plan.report_fd = static_cast<int>(::syscall(SYS_fcntl, plan.report_fd, F_DUPFD_CLOEXEC, end));
    if (plan.report_fd < 0) return false;
    for (int& fd : plan.fds) {
        fd = static_cast<int>(::syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, end));
        if (fd < 0) return false;
    }
    int place = first_passed_fd;
    for (const int fd : plan.fds)
        if (::syscall(SYS_dup3, fd, place++, 0) < 0) return false;
    // Ours are close-on-exec from birth; this is for those that a library of the program opened.
    // Kernels before 5.11 have no such call; then that is all we can do.
    ::syscall(SYS_close_range, end, ~0U, CLOSE_RANGE_CLOEXEC);
    return true;
}

HANDOVER_IN_CHILD int run_successor(void* argument) {
    auto& plan = *static_cast<Plan*>(argument);
    const int report_before = plan.report_fd;
    ChildStage failed = ChildStage::none;
    reset_signal_handlers(plan);
    for (char* place : plan.pid_places) write_pid(place, static_cast<pid_t>(::syscall(SYS_getpid)));
    if (!place_descriptors(plan)) {
        failed = ChildStage::descriptors;
        if (plan.report_fd < 0) plan.report_fd = report_before;
    } else if (::syscall(SYS_chdir, plan.directory) != 0) {
        failed = ChildStage::directory;
    } else {
        ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &plan.signal_mask, nullptr, kernel_sigset_size);
        ::syscall(SYS_execve, plan.executable, plan.argv.data(), plan.envp.data());
        failed = ChildStage::exec;
    }
    report(plan.report_fd, {ChildReport::Kind::failed, failed, errno});
    ::syscall(SYS_exit_group, 127);
    return 127;
}

/// Lives beside us until the successor ends or we kill it. Makes only system calls that cannot
/// fail, for errno belongs to the thread it was cloned from.
HANDOVER_IN_CHILD int run_intermediate(void* argument) {
    auto& plan = *static_cast<Plan*>(argument);
    const int report_fd = plan.report_fd;
    ::syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    const int pid = ::__clone(run_successor, plan.successor_stack,
                              CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &plan, &plan.pidfd);
    if (pid < 0) {
        report(report_fd, {ChildReport::Kind::failed, ChildStage::clone, errno});
    } else {
        report(report_fd, {ChildReport::Kind::started, ChildStage::none, pid});
        int status = 0;
        ::syscall(SYS_wait4, pid, &status, 0, nullptr);
        report(report_fd, {ChildReport::Kind::ended, ChildStage::none, status});
    }
    ::syscall(SYS_exit_group, 0);
    return 0;
}

std::string describe(ChildStage stage, const Program& program) {
    switch (stage) {
        case ChildStage::none:
        case ChildStage::clone:
            return "clone";
        case ChildStage::descriptors:
            return "passing the descriptors";
        case ChildStage::directory:
            return "chdir " + program.directory;
        case ChildStage::exec:
            return "exec " + program.executable;
    }
    return {};
}

std::string describe_wait_status(int status) {
    if (WIFEXITED(status)) return "exited with status " + std::to_string(WEXITSTATUS(status));
    if (!WIFSIGNALED(status)) return "ended";
    const char* name = ::sigabbrev_np(WTERMSIG(status));
    return name ? std::string("died of SIG") + name
                : "died of signal " + std::to_string(WTERMSIG(status));
}

/// Waits for a report, or for the end of the process that would write it: as it shares our
/// descriptors, its end of the pipe does not close when it dies.
std::optional<ChildReport> read_report(int fd, int writer_pidfd) {
    std::array<pollfd, 2> either{pollfd{fd, POLLIN, 0}, pollfd{writer_pidfd, POLLIN, 0}};
    while (::poll(either.data(), either.size(), -1) < 0 && errno == EINTR) continue;
    if ((either[0].revents & POLLIN) == 0) return std::nullopt;
    ChildReport what{};
    ssize_t size = 0;
    do size = ::read(fd, &what, sizeof what);
    while (size < 0 && errno == EINTR);
    return size == sizeof what ? std::optional(what) : std::nullopt;
}

/// All signals blocked in this thread; the children inherit that.
class SignalsBlocked {
  public:
    SignalsBlocked() {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

  private:
    sigset_t before_{};
};

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> result;
    result.reserve(strings.size() + 1);
    for (auto& text : strings) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

}  // namespace

/// What must stay in place while the intermediate runs on it.
struct SuccessorProcess::Intermediate {
    Stack own_stack;
    Stack successor_stack;
    std::vector<std::string> arguments;
    std::vector<std::string> environment;
    Plan plan;
    UniqueFd report_in;
    UniqueFd report_out;
    pid_t pid = -1;
    UniqueFd pidfd;

    ~Intermediate() { end(); }

    std::optional<ChildReport> next_report() { return read_report(report_in.get(), pidfd.get()); }

    /// Its children are reparented before it can be waited for (exit(2)), so on return they are.
    void end() {
        if (pid <= 0) return;
        ::kill(pid, SIGKILL);  // our own unreaped child: the pid cannot mean anybody else
        while (::waitpid(pid, nullptr, __WALL) < 0 && errno == EINTR) continue;
        pid = -1;
    }

    void prepare(const Program& program, const std::vector<PassedFd>& fds) {
        arguments = program.arguments;
        environment = successor_environment(program.environment, fds);
        plan.executable = program.executable.c_str();
        plan.directory = program.directory.c_str();
        plan.argv = pointers(arguments);
        plan.envp = pointers(environment);
        for (auto& entry : environment)
            for (const auto name : filled_in_by_child)
                if (entry.starts_with(name)) plan.pid_places.push_back(entry.data() + name.size());
        for (const auto& passed : fds) plan.fds.push_back(passed.fd);
        plan.signal_mask = program.signal_mask;
        for (int number = 1; number < _NSIG; ++number) {
            struct sigaction action {};
            if (::sigaction(number, nullptr, &action) == 0 && action.sa_handler != SIG_IGN &&
                action.sa_handler != SIG_DFL)
                plan.handled_signals.push_back(number);
        }
        plan.successor_stack = successor_stack.top();
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0)
            throw os_error("cannot start a successor: no pipe", errno);
        report_in.reset(ends[0]);
        report_out.reset(ends[1]);
        plan.report_fd = report_out.get();
    }
};

SuccessorProcess::SuccessorProcess() : intermediate_(std::make_unique<Intermediate>()) {}
SuccessorProcess::SuccessorProcess(SuccessorProcess&&) noexcept = default;

SuccessorProcess& SuccessorProcess::operator=(SuccessorProcess&& other) noexcept {
    if (this == &other) return *this;
    end();
    pid_ = other.pid_;
    pidfd_ = std::move(other.pidfd_);
    intermediate_ = std::move(other.intermediate_);
    return *this;
}

SuccessorProcess::~SuccessorProcess() {
    end();
}

SuccessorProcess SuccessorProcess::start(const Program& program, const std::vector<PassedFd>& fds) {
    SuccessorProcess successor;
    auto& intermediate = *successor.intermediate_;
    intermediate.prepare(program, fds);
    {
        const SignalsBlocked blocked;
        // No exit signal: a program with a SIGCHLD handler of its own does not see this child.
        int pidfd = -1;
        intermediate.pid =
            ::__clone(run_intermediate, intermediate.own_stack.top(),
                      CLONE_VM | CLONE_FILES | CLONE_PIDFD, &intermediate.plan, &pidfd);
        if (intermediate.pid < 0) throw os_error("cannot start a successor: clone", errno);
        intermediate.pidfd.reset(pidfd);
    }
    auto first = intermediate.next_report();
    std::optional<ChildReport> failure;
    if (first && first->kind == ChildReport::Kind::failed) {
        failure = first;
        // The pid of a failed successor follows; the process is gone.
        if (first->stage != ChildStage::clone) first = intermediate.next_report();
    }
    successor.pidfd_.reset(intermediate.plan.pidfd);
    if (failure) {
        intermediate.end();
        successor.intermediate_.reset();
        throw os_error(describe(failure->stage, program), failure->number);
    }
    if (!first) throw os_error("cannot start a successor: its parent died", ECHILD);
    successor.pid_ = first->number;
    return successor;
}

/// Reaps it too: where there is no init that does, as in some containers, it would stay a zombie.
void SuccessorProcess::end() {
    if (!intermediate_) return;
    constexpr int timeout_ms = 1000;  // SIGKILL is quick but for a process stuck in the kernel
    pollfd ended{pidfd_.get(), POLLIN, 0};
    if (signal(SIGKILL) && ::poll(&ended, 1, timeout_ms) == 1) (void)how_it_ended();
}

std::string SuccessorProcess::how_it_ended() {
    if (!intermediate_) return "ended";
    // The pidfd is readable, so the report is on its way.
    const auto last = intermediate_->next_report();
    intermediate_.reset();
    return last && last->kind == ChildReport::Kind::ended ? describe_wait_status(last->number)
                                                          : "ended";
}

bool SuccessorProcess::signal(int number) const {
    return pidfd_ && ::syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, 0) == 0;
}

void SuccessorProcess::release() {
    intermediate_.reset();
}

std::vector<std::string> successor_environment(const std::vector<std::string>& original,
                                               const std::vector<PassedFd>& fds) {
    std::vector<std::string> result;
    for (const auto& entry : original) {
        if (entry.starts_with("LISTEN_PID=") || entry.starts_with("LISTEN_PIDFDID=") ||
            entry.starts_with("LISTEN_FDS=") || entry.starts_with("LISTEN_FDNAMES="))
            continue;
        const auto* const name =
            std::find_if(filled_in_by_child.begin(), filled_in_by_child.end(),
                         [&entry](std::string_view prefix) { return entry.starts_with(prefix); });
        result.push_back(name == filled_in_by_child.end() ? entry
                                                          : std::string(*name).append(blank_pid));
    }
    std::string names;
    for (const auto& passed : fds) names += (names.empty() ? "" : ":") + passed.name;
    result.push_back("LISTEN_FDS=" + std::to_string(fds.size()));
    result.push_back("LISTEN_FDNAMES=" + names);
    result.push_back(std::string("LISTEN_PID=").append(blank_pid));
    return result;
}

}  // namespace handover
