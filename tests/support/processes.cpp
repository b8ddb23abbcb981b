// SPDX-License-Identifier: MIT
#include "support/processes.h"

#include "handover/unique_fd.h"
#include "support/file_content.h"
#include "support/pass_time.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace handover::test {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

UniqueFd open_pidfd(pid_t pid) {
    return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

fs::path entry(pid_t pid, const std::string& name) {
    return fs::path("/proc") / std::to_string(pid) / name;
}

[[noreturn]] void fail(pid_t pid, const std::string& what) {
    throw std::runtime_error("process " + std::to_string(pid) + ": " + what);
}

std::string read_entry(pid_t pid, const std::string& name) {
    const auto text = content_if_any(entry(pid, name));
    if (!text) fail(pid, "cannot read " + name);
    return *text;
}

std::string read_link(pid_t pid, const std::string& name) {
    std::error_code fault;
    const auto target = fs::read_symlink(entry(pid, name), fault);
    if (fault) fail(pid, "cannot read the link " + name + ": " + fault.message());
    return target.string();
}

std::vector<std::string> split_at_nul(const std::string& text) {
    std::vector<std::string> parts;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, '\0');) parts.push_back(part);
    return parts;
}

/// The value of a "name:\tvalue" line.
std::string field_of(const std::string& text, const std::string& name) {
    const auto begin = text.find(name + ":");
    if (begin == std::string::npos) return {};
    std::istringstream in(text.substr(begin + name.size() + 1));
    std::string value;
    in >> value;
    return value;
}

/// 0 if there is no such process.
pid_t group_of(const fs::path& process) {
    const auto text = content_if_any(process / "stat").value_or("");
    // "pid (name) state parent group ..."; the name may contain anything.
    const auto name_end = text.rfind(')');
    if (name_end == std::string::npos) return 0;
    std::istringstream rest(text.substr(name_end + 1));
    std::string state;
    pid_t parent = 0;
    pid_t group = 0;
    rest >> state >> parent >> group;
    return group;
}

/// If it has ended and is our child.
void reap(pid_t pid) {
    siginfo_t how{};
    (void)::waitid(P_PID, static_cast<id_t>(pid), &how, WEXITED | WNOHANG);
}

}  // namespace

bool eventually(const std::function<bool()>& condition) {
    using std::chrono::milliseconds;
    const auto began = Clock::now();
    while (!condition()) {
        const auto waited = std::chrono::duration_cast<milliseconds>(Clock::now() - began);
        if (waited > timeout) return false;
        // The answer may be a program's that is started for it: who waits long asks less often.
        pass_time(std::clamp(waited / 10, milliseconds(2), milliseconds(50)));
    }
    return true;
}

void adopt_orphans() {
    if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
        throw std::system_error(errno, std::generic_category(), "PR_SET_CHILD_SUBREAPER");
}

int await_end(pid_t pid) {
    const auto pidfd = open_pidfd(pid);
    if (!pidfd) {
        if (errno == ESRCH) return 0;
        throw std::system_error(errno, std::generic_category(), "pidfd_open");
    }
    pollfd ended{pidfd.get(), POLLIN, 0};
    if (::poll(&ended, 1, static_cast<int>(timeout.count())) != 1) fail(pid, "does not end");
    siginfo_t how{};
    int status = 0;
    // A child of somebody else becomes ours, or is reaped, when that somebody notices.
    const bool gone = eventually([&] {
        if (::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &how, WEXITED | WNOHANG) == 0 &&
            how.si_pid == pid) {
            status = how.si_code == CLD_EXITED ? how.si_status : -how.si_status;
            return true;
        }
        return !fs::exists(entry(pid, "stat"));
    });
    if (!gone) fail(pid, "is a zombie that nobody reaps");
    return status;
}

std::vector<pid_t> members_of_group(pid_t group) {
    std::vector<pid_t> members;
    for (const auto& process : fs::directory_iterator("/proc")) {
        const auto name = process.path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        if (group_of(process.path()) == group) members.push_back(std::stoi(name));
    }
    std::sort(members.begin(), members.end());
    return members;
}

bool wait_for_group(pid_t group, std::vector<pid_t> expected) {
    std::sort(expected.begin(), expected.end());  // pids begin anew at kernel.pid_max
    return eventually([&] {
        const auto members = members_of_group(group);
        for (const pid_t member : members)
            if (std::find(expected.begin(), expected.end(), member) == expected.end()) reap(member);
        return members == expected;
    });
}

void end_group(pid_t group) {
    const bool ended = eventually([group] {
        const auto members = members_of_group(group);
        for (const pid_t member : members) {
            const auto pidfd = open_pidfd(member);
            if (pidfd && group_of(entry(member, "")) == group)
                ::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
        }
        for (const pid_t member : members) reap(member);
        return members.empty();
    });
    if (!ended) fail(group, "its group does not die");
}

std::map<int, std::string> ProcessView::descriptors() const {
    std::map<int, std::string> result;
    std::error_code fault;
    for (fs::directory_iterator fd(entry(pid, "fd"), fault), end; !fault && fd != end;
         fd.increment(fault)) {
        std::error_code closed_meanwhile;
        const auto target = fs::read_symlink(fd->path(), closed_meanwhile).string();
        if (!closed_meanwhile) result.emplace(std::stoi(fd->path().filename()), target);
    }
    if (result.empty()) fail(pid, "has no descriptors to be seen");
    return result;
}

bool ProcessView::is_close_on_exec(int fd) const {
    const auto flags = field_of(read_entry(pid, "fdinfo/" + std::to_string(fd)), "flags");
    return (std::stoul(flags, nullptr, 8) & O_CLOEXEC) != 0;
}

std::vector<std::string> ProcessView::arguments() const {
    return split_at_nul(read_entry(pid, "cmdline"));
}

std::map<std::string, std::string> ProcessView::environment() const {
    std::map<std::string, std::string> result;
    for (const auto& assignment : split_at_nul(read_entry(pid, "environ"))) {
        const auto equals = assignment.find('=');
        if (equals != std::string::npos)
            result.emplace(assignment.substr(0, equals), assignment.substr(equals + 1));
    }
    return result;
}

std::string ProcessView::directory() const {
    return read_link(pid, "cwd");
}

std::string ProcessView::executable() const {
    return read_link(pid, "exe");
}

std::size_t ProcessView::resident_kib() const {
    return std::stoul(field_of(read_entry(pid, "status"), "VmRSS"));
}

std::size_t ProcessView::threads() const {
    return std::stoul(field_of(read_entry(pid, "status"), "Threads"));
}

bool ProcessView::is_sleeping() const {
    return field_of(read_entry(pid, "status"), "State").rfind('S', 0) == 0;
}

std::size_t ProcessView::cpu_ticks() const {
    const auto text = read_entry(pid, "stat");
    // After the name, which may contain anything: state, ten numbers, user time, system time.
    std::istringstream rest(text.substr(text.rfind(')') + 1));
    std::string skipped;
    for (int i = 0; i < 11; ++i) rest >> skipped;
    std::size_t user = 0;
    std::size_t system = 0;
    rest >> user >> system;
    return user + system;
}

}  // namespace handover::test
