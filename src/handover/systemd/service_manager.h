// SPDX-License-Identifier: MIT
#pragma once

#include "handover/unique_fd.h"

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <span>
#include <string>

namespace handover {

/// What we tell the service manager (sd_notify(3)), as one process of possibly several.
///
/// Outside of a service manager, that is without NOTIFY_SOCKET, every call is a silent no-op. The
/// protocol never answers: a message that was refused or lost looks like one that was accepted, so
/// no function returns success. barrier() tells when everything sent before has been processed.
///
/// Only the main process may speak for the service: a draining predecessor that says STOPPING=1
/// stops all of it. After hand_main_pid() and a barrier, call fall_silent(). What any generation
/// may still do is to put connections into the fd store when the service restarts; for that the
/// unit says NotifyAccess=all. Not thread-safe.
class ServiceManager {
  public:
    /// Reads NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID and FDSTORE, and leaves them in place for
    /// the successor.
    ServiceManager();

    /// Is somebody listening to us?
    [[nodiscard]] bool present() const noexcept { return present_; }

    void ready(const std::string& status) const;
    /// A reload begins; ready() must follow on every path, or the unit stays in "reloading" for
    /// ever (systemd before 259).
    void reloading(const std::string& status) const;
    /// Only from the main process and only when the service is to end.
    void stopping(const std::string& status) const;
    /// One sentence for `systemctl status`.
    void status(const std::string& sentence) const;
    /// `successor` is the main process from now on. It must be a child of the service manager, not
    /// of ours, or `systemctl stop` would kill it without waiting. One message does it all, so
    /// there is no moment in which the unit is neither ready nor watched.
    void hand_main_pid(pid_t successor, const std::string& status) const;
    /// Pushes back the end of a start, reload or stop that is under way.
    void extend_timeout(std::chrono::microseconds by) const;

    /// How often to call watchdog(): half of WATCHDOG_USEC. nullopt: nobody waits for it.
    [[nodiscard]] std::optional<std::chrono::microseconds> watchdog_interval() const;
    void watchdog() const;

    /// Stores a duplicate of `fd`, which is borrowed, under `name` (ASCII, no colon, at most 255).
    /// `watched`: an entry that hangs up leaves the store (FDPOLL=). Works when silent, too.
    enum class Watched { yes, no };
    void store_fd(int fd, const std::string& name, Watched watched = Watched::yes) const;
    /// Removes every entry of that name.
    void remove_fds(const std::string& name) const;
    /// $FDSTORE: how many descriptors the fd store takes. nullopt: not told (systemd before 254, or
    /// no store).
    [[nodiscard]] std::optional<unsigned> fd_store_capacity() const noexcept { return capacity_; }

    /// The descriptor hangs up (POLLHUP) as soon as everything sent before has been processed
    /// (sd_notify_barrier(3)). Owned by the caller; empty where there is nobody to wait for. Works
    /// when silent, too.
    [[nodiscard]] UniqueFd barrier() const;

    /// From now on every call is a no-op, but for the two that can do no harm.
    void fall_silent() noexcept { silent_ = true; }

  private:
    void send(const std::string& message) const;
    int notify(const std::string& message, std::span<const int> fds) const;
    void reserve() const;

    mutable UniqueFd reserve_;
    bool present_ = false;
    bool silent_ = false;
    std::optional<unsigned> capacity_;
};

}  // namespace handover
