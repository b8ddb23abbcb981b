// SPDX-License-Identifier: MIT
#pragma once

#include "handover/base/descriptor.h"
#include "handover/unique_fd.h"

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace handover {

/// One descriptor that somebody gave us at start: a .socket unit, the fd store or a predecessor. It
/// looks the same from all three, so there is one way to adopt it.
struct InheritedFd {
    std::string name;  ///< from LISTEN_FDNAMES; "unknown" where there were no names
    UniqueFd fd;       ///< O_CLOEXEC
    Descriptor what;
};

struct InheritedFds {
    std::vector<InheritedFd> fds;  ///< each socket once
    /// Names under which a socket came a second time: a .socket listener that is in the fd store
    /// too. The second descriptor has been closed; its entry in the store should go as well.
    std::vector<std::string> duplicate_names;
};

/// What the LISTEN_* variables say; the descriptors are 3, 4, ... in the order of the names.
struct ListenEnvironment {
    std::vector<std::string> names;  ///< one for each descriptor

    using Lookup = std::function<std::optional<std::string>(const char* variable)>;
    /// The protocol of sd_listen_fds(3), strictly. No LISTEN_* variable at all: no descriptors.
    /// Throws Error (config), naming the variable and its value, when LISTEN_PID or LISTEN_PIDFDID
    /// means another process, a number or the count of the names is wrong, or a name could be none
    /// of a service manager's. Pure.
    /// `pidfd_id`: this process's, nullopt where the kernel has none (before 6.9).
    [[nodiscard]] static ListenEnvironment parse(const Lookup& lookup, pid_t pid,
                                                 std::optional<std::uint64_t> pidfd_id);
};

/// Takes everything that LISTEN_* announces and removes these variables from the environment, so
/// that no other process started from here believes them. Call once, before threads exist
/// (unsetenv(3) is not thread-safe). Throws Error as parse() does, or if an announced descriptor is
/// not open.
[[nodiscard]] InheritedFds take_inherited_fds();

}  // namespace handover
