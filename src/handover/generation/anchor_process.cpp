// SPDX-License-Identifier: MIT
#include "handover/generation/anchor_process.h"

#include "handover/error.h"
#include "handover/unique_fd.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <utility>

extern char** environ;  // NOLINT(readability-redundant-declaration): unistd.h has it only for GNU

namespace handover {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// A successor on probation sees its predecessor die at once and becomes the main process.
constexpr milliseconds succession{1'000};
/// An anchor is signalling for a moment, unless it has been stopped there.
constexpr milliseconds signalling{1'000};

constexpr std::array passed_on{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};

Ledger twin_of(const Ledger& ledger) {
    UniqueFd fd(::fcntl(ledger.fd(), F_DUPFD_CLOEXEC, 3));
    if (!fd) throw os_error("cannot keep the ledger for the anchor", errno);
    auto twin = Ledger::adopt(std::move(fd));
    if (!twin) throw os_error("cannot map the ledger for the anchor", errno);
    return std::move(*twin);
}

bool is_living_child(pid_t pid) {
    siginfo_t end{};
    return ::waitid(P_PID, static_cast<id_t>(pid), &end, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           end.si_pid == 0;
}

sigset_t awaited_signals() {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGCHLD);
    for (const int number : passed_on) ::sigaddset(&set, number);
    return set;
}

timespec to_timespec(milliseconds time) {
    return {time.count() / 1000, time.count() % 1000 * 1'000'000};
}

int exit_status_of(int wait_status) {
    constexpr int killed_by = 128;  // as shells tell it
    return WIFSIGNALED(wait_status) ? killed_by + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/// What has become of the main process. Its pid stands in the ledger, and moves there to the next
/// one before it ends; if it could not, the next one enters itself.
class ChildWatch {
  public:
    ChildWatch(const Ledger& ledger, milliseconds timeout) : ledger_(ledger), timeout_(timeout) {}

    /// False when nobody is left to wait for.
    bool reap() {
        int status = 0;
        pid_t pid = 0;
        while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) {
            last_ = {pid, exit_status_of(status)};
            if (pid == ledger_.main_pid()) note_end();
        }
        // Another one has taken over; or it has been entered just as it ended.
        if (ended_ && ledger_.main_pid() != ended_->pid) ended_.reset();
        if (!ended_ && ledger_.main_pid() == last_.pid) note_end();
        return pid == 0;
    }
    struct Ended {
        pid_t pid;
        int exit_status;
        Clock::time_point deadline;  ///< for all others

        [[nodiscard]] milliseconds left() const {
            return std::max(milliseconds(0),
                            std::chrono::ceil<milliseconds>(deadline - Clock::now()));
        }
    };
    /// The main process, if it has ended and no other one has taken over.
    [[nodiscard]] const std::optional<Ended>& ended() const { return ended_; }
    /// Of the child that ended last.
    [[nodiscard]] int last_exit_status() const { return last_.exit_status; }

  private:
    void note_end() {
        const auto others = last_.exit_status == 0 ? timeout_ : succession;
        ended_ = {last_.pid, last_.exit_status, Clock::now() + others};
    }

    const Ledger& ledger_;
    milliseconds timeout_;
    struct {
        pid_t pid = 0;
        int exit_status = EXIT_SUCCESS;
    } last_;
    std::optional<Ended> ended_;
};

/// The next signal; 0 if none came in that time.
int next_signal(const sigset_t& awaited, const std::optional<ChildWatch::Ended>& ended) {
    siginfo_t unused{};
    if (!ended) return std::max(0, ::sigwaitinfo(&awaited, &unused));
    const timespec time = to_timespec(ended->left());
    return std::max(0, ::sigtimedwait(&awaited, &unused, &time));
}

/// What the supervisor is told by our own end. A main process that was another generation's to
/// reap, in a stop, ended as the others did.
int tell_end(const ChildWatch& watch, const AnchorProcess::Report& report) {
    const auto& ended = watch.ended();
    if (!ended) return watch.last_exit_status();
    if (ended->exit_status != 0)
        report("the main process, pid " + std::to_string(ended->pid) + ", ended with status " +
               std::to_string(ended->exit_status) + ", and so does its anchor");
    return ended->exit_status;
}

}  // namespace

AnchorProcess::AnchorProcess(Ledger& ledger) : AnchorProcess(twin_of(ledger)) {
    if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
        throw os_error("cannot become the anchor: PR_SET_CHILD_SUBREAPER", errno);
    ledger_.set_signalling(false);
    ledger_.set_anchor_pid(::getpid());
    ledger_.set_main_pid(::getpid());
}

std::optional<AnchorProcess> AnchorProcess::resume(int ledger_fd) {
    auto ledger = Ledger::adopt(UniqueFd(ledger_fd));
    if (!ledger || ledger->anchor_pid() != ::getpid()) return std::nullopt;
    (void)::fcntl(ledger_fd, F_SETFD, FD_CLOEXEC);
    return AnchorProcess(std::move(*ledger));
}

bool AnchorProcess::has_successor() const {
    return ledger_.main_pid() != ::getpid();
}

/// A child that nobody has reaped is no other process of that number.
bool AnchorProcess::reaches_main(int signal_number) {
    ledger_.set_signalling(true);  // first: see set_main_process()
    const pid_t pid = ledger_.main_pid();
    const bool reached =
        pid > 1 && pid != ::getpid() && is_living_child(pid) && ::kill(pid, signal_number) == 0;
    ledger_.set_signalling(false);
    return reached;
}

void AnchorProcess::pass_on(int signal_number) {
    if (!reaches_main(signal_number)) kept_.insert(signal_number);
}

void AnchorProcess::exec(std::vector<std::string> arguments) const {
    arguments.push_back(std::to_string(ledger_.fd()));
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    // Ours are close-on-exec from birth; this is for those that a library of the program opened.
    ::syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
    (void)::fcntl(ledger_.fd(), F_SETFD, 0);
    for (const int number : kept_) ::kill(::getpid(), number);  // blocked: it will be pending
    // Not the path: what is there now may be the release that is no good.
    ::execve("/proc/self/exe", argv.data(), environ);
    const int fault = errno;
    (void)::fcntl(ledger_.fd(), F_SETFD, FD_CLOEXEC);
    throw os_error("cannot replace the drained generation by a waiter: exec /proc/self/exe", fault);
}

int AnchorProcess::wait(milliseconds timeout, const Report& report) {
    const sigset_t awaited = awaited_signals();
    ::pthread_sigmask(SIG_BLOCK, &awaited, nullptr);
    ::signal(SIGCHLD, SIG_DFL);  // ignored, it would reap for us
    ChildWatch watch(ledger_, timeout);
    while (watch.reap()) {
        std::erase_if(kept_, [this](int number) { return reaches_main(number); });
        const auto& ended = watch.ended();
        if (ended && ended->left() == milliseconds(0)) break;
        const int number = next_signal(awaited, ended);
        // After a crash there may be a successor yet, for whom the first one is.
        const bool is_second = ended && (ended->exit_status == 0 || kept_.contains(SIGINT));
        if (number == SIGINT && is_second) break;
        if (number > 0 && number != SIGCHLD) pass_on(number);
    }
    return tell_end(watch, report);
}

/// Whoever looks after us sees the new one, and for whoever has looked before we wait.
void AnchorProcess::set_main_process(Ledger& ledger, pid_t main_pid) {
    ledger.set_main_pid(main_pid);
    if (ledger.anchor_pid() == 0) return;
    const auto deadline = Clock::now() + signalling;
    while (ledger.is_signalling() && Clock::now() < deadline) ::sched_yield();
}

bool AnchorProcess::returns_signal(const Ledger& ledger, int signal_number, pid_t sender) {
    const pid_t anchor = ledger.anchor_pid();
    const bool sent_it = sender > 0 && sender == anchor && anchor == ::getppid();
    return sent_it && ledger.main_pid() != ::getpid() && ::kill(anchor, signal_number) == 0;
}

bool AnchorProcess::follow(const Ledger& ledger) {
    const pid_t anchor = ledger.anchor_pid();
    if (anchor == 0 || anchor == ::getpid()) return true;
    if (const pid_t parent = ::getppid(); parent != anchor) {
        // Our predecessor has died, and the process between it and us is about to.
        const UniqueFd between(static_cast<int>(::syscall(SYS_pidfd_open, parent, 0)));
        const bool is_gone = !between && errno == ESRCH;
        pollfd ended{between.get(), POLLIN, 0};
        if (!is_gone) ::poll(&ended, 1, static_cast<int>(succession.count()));
    }
    ::prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    if (::getppid() != anchor) return false;
    ::kill(anchor, SIGCHLD);  // it may be waiting for one of us to enter itself
    return true;
}

}  // namespace handover
