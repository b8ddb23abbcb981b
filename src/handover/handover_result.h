// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace handover {

/// From which end of the generation before a generation took over.
enum class HandoverKind : std::uint8_t {
    reload,   ///< both lived
    restart,  ///< it left its listeners in the fd store
    crash,    ///< it ended without a word
};
inline constexpr std::array all_handover_kinds{HandoverKind::reload, HandoverKind::restart,
                                               HandoverKind::crash};

enum class HandoverOutcome : std::uint8_t {
    ok,           ///< and, after a reload, the probation is over
    failed,       ///< the successor never took over
    rolled_back,  ///< it did, and died on probation
};
inline constexpr std::array all_handover_outcomes{HandoverOutcome::ok, HandoverOutcome::failed,
                                                  HandoverOutcome::rolled_back};

/// For people and programs: "reload", "rolled_back".
[[nodiscard]] std::string_view to_string(HandoverKind kind);
[[nodiscard]] std::string_view to_string(HandoverOutcome outcome);

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
