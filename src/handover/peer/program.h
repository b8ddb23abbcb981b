// SPDX-License-Identifier: MIT
#pragma once

#include <csignal>
#include <string>
#include <vector>

namespace handover {

/// How this process was started, so that its successor can be started the same way.
struct Program {
    /// Absolute, and as it was typed: symbolic links are followed anew at each start, so that a
    /// deployment that switches a link gets the new binary. Never "/proc/self/exe (deleted)".
    std::string executable;
    std::vector<std::string> arguments;    ///< argv, with argv[0]
    std::string directory;                 ///< the working directory
    std::vector<std::string> environment;  ///< NAME=value
    sigset_t signal_mask{};                ///< of the first thread

    /// Call at the begin of main(), before anything changes directory, environment or mask.
    /// Throws Error (os) if /proc is not there to tell.
    [[nodiscard]] static Program remember();
};

}  // namespace handover
