// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace handover {

/// How the generation before ended, or did not, when the next one took over. The numbers are a
/// format that releases share: a new one is added at the end.
enum class HandoverKind : std::uint8_t {
    reload,   ///< it started the next one, and both lived
    restart,  ///< it left its listeners and connections in the service manager's fd store
    crash,    ///< it ended without a word
};
/// Every HandoverKind, in the order of their numbers.
inline constexpr std::array all_handover_kinds{HandoverKind::reload, HandoverKind::restart,
                                               HandoverKind::crash};

/// What came of a handover. The numbers are a format that releases share: a new one is added at the
/// end.
enum class HandoverOutcome : std::uint8_t {
    ok,           ///< the successor took over and, after a reload, passed its probation
    failed,       ///< the successor never took over
    rolled_back,  ///< the successor took over and died on probation
};
/// Every HandoverOutcome, in the order of their numbers.
inline constexpr std::array all_handover_outcomes{HandoverOutcome::ok, HandoverOutcome::failed,
                                                  HandoverOutcome::rolled_back};

/// The name of the enumerator, for people and metrics: "reload". Valid for ever. Thread-safe.
[[nodiscard]] std::string_view to_string(HandoverKind kind);
/// The name of the enumerator, for people and metrics: "rolled_back". Valid for ever. Thread-safe.
[[nodiscard]] std::string_view to_string(HandoverOutcome outcome);

/// The answer to a request for a handover: whether a successor has taken over. What comes of its
/// probation is not known yet then; that is in Generation::history(). A value type. `version` and
/// `reason` may carry what another process said: see printable().
struct HandoverResult {
    bool succeeded = false;
    std::uint64_t from = 0;   ///< number of the generation that was asked; 0: it did not serve yet
    std::uint64_t to = 0;     ///< number of the successor; 0: none has taken over
    pid_t pid = -1;           ///< process of the successor; -1: none has taken over
    std::string version;      ///< GenerationOptions::version of the successor, as it told
    bool same_build = false;  ///< successor and predecessor have the same build_id()
    std::chrono::milliseconds duration{0};  ///< until it accepted; 0: none has taken over
    std::string reason;                     ///< one sentence, if it did not succeed

    /// One sentence for people, which is printable(): "generation 4 (pid 812) took over from 3 in
    /// 31 ms", or the reason.
    [[nodiscard]] std::string to_string() const;
};

}  // namespace handover
