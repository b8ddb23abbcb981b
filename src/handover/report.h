// SPDX-License-Identifier: MIT
#pragma once

#include "handover/connection_counts.h"
#include "handover/handover_result.h"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handover {

/// What a generation has to tell: one sentence for people, and the facts in it for programs. A
/// handover that succeeds is three of them above `debug`, in sum over both generations: the new one
/// serves, it took over, the old one ended.
struct Report {
    enum class Severity : std::uint8_t { debug, info, warning, error };

    /// What operators wait for. A later release may know more.
    enum class Event : std::uint8_t {
        other,            ///< anything else that is worth a line
        serving,          ///< the generation accepts: at a start, `kind` is not set
        took_over,        ///< `to` accepts in place of `from`, and is on probation
        handover_failed,  ///< the successor never took over
        rolled_back,      ///< the successor died on probation, `from` accepts again
        promoted,         ///< the generation is the main process: its probation is over
        restarting,       ///< the generation leaves, its listeners stay
        stopping,         ///< and do not
        ended,            ///< the last that this generation has to say, with its account
    };

    Severity severity = Severity::info;
    Event event = Event::other;
    std::string text = {};         ///< may contain what others have said: printable()
    std::uint64_t generation = 0;  ///< who tells; 0: it has not begun to serve
    std::uint64_t from = 0;        ///< a handover: its generations; 0: not known
    std::uint64_t to = 0;          //
    pid_t pid = 0;                 ///< of the generation that begins to serve; 0: of none
    std::string version = {};      ///< of the same
    std::string reason = {};       ///< why something failed
    std::optional<HandoverKind> kind = {};
    std::optional<HandoverOutcome> result = {};              ///< known when the probation is over
    std::optional<std::chrono::milliseconds> duration = {};  ///< of a handover
    std::optional<ConnectionCounts> account = {};            ///< of the connections it held
    struct Listener {
        std::string name;
        std::string endpoint;
    };
    std::vector<Listener> listeners = {};
};

/// "took_over"
[[nodiscard]] std::string_view to_string(Report::Event event);

}  // namespace handover
