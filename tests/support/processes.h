// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace handover::test {

/// How long a test waits for what should come at once. Long, because the machine may be busy and
/// the program slowed down by a sanitizer; a test that passes never waits so long.
constexpr std::chrono::milliseconds timeout{30'000};

/// Asks again and again: for what tells nobody when it becomes true. False after `timeout`.
[[nodiscard]] bool eventually(const std::function<bool()>& condition);

/// Orphans of the processes that we start become our children from now on, so that we see how they
/// end. Elsewhere they would go to a process 1 that may take its time, and a zombie still answers
/// kill(pid, 0).
void adopt_orphans();

/// Waits for the end of a process and reaps it if it is our child. Its exit status, or -signal; 0
/// for one that its real parent has reaped. Throws std::runtime_error after `timeout`.
int await_end(pid_t pid);

/// The processes of a group, zombies included.
[[nodiscard]] std::vector<pid_t> members_of_group(pid_t group);
/// Waits until only these are left; reaps any other that has ended. False after `timeout`.
[[nodiscard]] bool wait_for_group(pid_t group, std::vector<pid_t> expected);
/// Kills and reaps all of them.
void end_group(pid_t group);

/// What /proc tells about a running process. All throw std::runtime_error if it is gone.
struct ProcessView {
    pid_t pid;

    /// What each descriptor is: "socket:[1234]", "anon_inode:[eventfd]", a path.
    [[nodiscard]] std::map<int, std::string> descriptors() const;
    [[nodiscard]] bool is_close_on_exec(int fd) const;
    [[nodiscard]] std::vector<std::string> arguments() const;
    /// As it was started.
    [[nodiscard]] std::map<std::string, std::string> environment() const;
    [[nodiscard]] std::string directory() const;
    [[nodiscard]] std::string executable() const;
    [[nodiscard]] std::size_t resident_kib() const;
    [[nodiscard]] std::size_t threads() const;
    /// Its first thread waits in the kernel for something to happen (S in proc(5)).
    [[nodiscard]] bool is_sleeping() const;
    /// Of user and system time, in all threads, since it began; a tick is usually 10 ms.
    [[nodiscard]] std::size_t cpu_ticks() const;
};

}  // namespace handover::test
