// SPDX-License-Identifier: MIT
#pragma once

#include "handover/unique_fd.h"
#include "support/pipe.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <optional>
#include <string>

namespace handover::test {

/// This process takes the place of the service manager: orphans become its children.
class Subreaper {
  public:
    Subreaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }
    ~Subreaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0); }
    Subreaper(const Subreaper&) = delete;
    Subreaper& operator=(const Subreaper&) = delete;

    /// Waits for the end of our child: its wait status, nullopt if it is not ours or lives on.
    [[nodiscard]] static std::optional<int> reap(pid_t pid) {
        const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
        if (!pidfd || !wait_for_input(pidfd.get())) return std::nullopt;
        int status = 0;
        return ::waitpid(pid, &status, __WALL) == pid ? std::optional(status) : std::nullopt;
    }

    [[nodiscard]] static bool has_children() {
        siginfo_t info{};
        return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0;
    }
};

/// 0 if there is no such process.
inline pid_t parent_of(pid_t pid) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/status");
    for (std::string key; in >> key;)
        if (pid_t parent = 0; key == "PPid:" && in >> parent) return parent;
    return 0;
}

}  // namespace handover::test
