// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>

namespace handover {

/// How a handover to a successor ended.
struct HandoverResult {
    bool succeeded = false;
    std::uint64_t from = 0;                 ///< number of the generation that was asked
    std::uint64_t to = 0;                   ///< number of the successor
    pid_t pid = -1;                         ///< of the successor
    std::string version;                    ///< of the successor
    bool same_build = false;                ///< the successor is the very build that we are
    std::chrono::milliseconds duration{0};  ///< from the request to the end
    std::string reason;                     ///< why it failed

    /// One printable() sentence: "generation 4 (pid 812) took over from 3 in 31 ms", or the reason.
    [[nodiscard]] std::string to_string() const;
};

}  // namespace handover
