// SPDX-License-Identifier: MIT
#pragma once

#include "handover/peer/program.h"
#include "handover/unique_fd.h"

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace handover {

/// A descriptor to pass on, under a name for LISTEN_FDNAMES. Borrowed.
struct PassedFd {
    std::string name;
    int fd;
};

/// The environment of a successor: `original` without LISTEN_* and with LISTEN_FDS and
/// LISTEN_FDNAMES for `fds`. LISTEN_PID, and WATCHDOG_PID and SYSTEMD_EXEC_PID where they were set,
/// end in a blank number that the new process fills in itself, between fork and exec. Pure.
[[nodiscard]] std::vector<std::string> successor_environment(
    const std::vector<std::string>& original, const std::vector<PassedFd>& fds);

/// The next generation's process, from its start until it is released.
///
///     we --clone--> intermediate --vfork--> successor --exec--> ...
///
/// A service manager can only stop its own children gracefully: a main process that is somebody
/// else's child is killed at once (systemd's `main_pid_alien`). So the successor is a grandchild
/// and becomes the manager's child when the intermediate goes. Until then the intermediate waits
/// for it, which is the only way to learn how a process ended.
///
/// The intermediate shares our memory (CLONE_VM) instead of copying page tables: a plain fork of a
/// process with 1 GiB resident stops it for 26 ms. It also shares the descriptor table
/// (CLONE_FILES), for a copy of a connection would keep it open after we closed it.
///
/// Owns the intermediate process and the pidfd; the destructor kills a successor that has not been
/// released. Not thread-safe; the thread that called start() must outlive the object.
class SuccessorProcess {
  public:
    /// Starts `program` with exactly the descriptors 0, 1, 2 and `fds` as 3, 4, ... Returns when
    /// exec has succeeded. Throws Error (os) that names the stage that failed: "exec
    /// /usr/bin/x: Permission denied".
    [[nodiscard]] static SuccessorProcess start(const Program& program,
                                                const std::vector<PassedFd>& fds);

    SuccessorProcess(SuccessorProcess&&) noexcept;
    /// Ends what it owned, like the destructor.
    SuccessorProcess& operator=(SuccessorProcess&&) noexcept;
    ~SuccessorProcess();

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    /// Becomes readable when the successor has ended. Borrowed.
    [[nodiscard]] int pidfd() const noexcept { return pidfd_.get(); }

    /// Waits for the end of a process whose pidfd is readable, and says what it was: "exited with
    /// status 1", "died of SIGSEGV". After release() nobody can tell: "ended".
    [[nodiscard]] std::string how_it_ended();

    /// To this very process; never to a later one with its pid. False if it is gone.
    bool signal(int number) const;  // NOLINT(modernize-use-nodiscard): fire and forget

    /// Gives it to the service manager: on return its parent is the nearest subreaper, or init.
    void release();

  private:
    struct Intermediate;
    SuccessorProcess();
    void end();

    pid_t pid_ = -1;
    UniqueFd pidfd_;
    std::unique_ptr<Intermediate> intermediate_;
};

}  // namespace handover
