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

/// Something for the log: one sentence for people, and the facts in it for programs. A generation
/// passes it to GenerationOptions::report. A handover that succeeds takes three of them above
/// Severity::debug, in sum over both generations: the new one serves, it took over, the old one
/// ended. A value type. Its texts may carry what another process said: see printable().
struct Report {
    enum class Severity : std::uint8_t {
        debug,    ///< only helps to find a fault
        info,     ///< as it should be
        warning,  ///< something was lost or is not as configured; the service goes on
        error,    ///< something failed
    };

    /// What operators wait for. A later release may have more of them.
    enum class Event : std::uint8_t {
        other,            ///< anything else that is worth a line
        serving,          ///< the generation accepts; at a first start, `kind` is not set
        took_over,        ///< `to` accepts in place of `from`, and is on probation
        handover_failed,  ///< the successor never took over
        rolled_back,      ///< the successor died on probation; `from` accepts again
        promoted,         ///< the generation is the main process: its probation is over
        restarting,       ///< the generation leaves; its listeners stay in the fd store
        stopping,         ///< the generation leaves, and the service ends
        ended,            ///< the last report of this generation, with its `account`
    };

    Severity severity = Severity::info;
    Event event = Event::other;
    std::string text = {};         ///< the sentence
    std::uint64_t generation = 0;  ///< number of the one that reports; 0: it does not serve yet
    std::uint64_t from = 0;        ///< of a handover, the generation before; 0: not known, or none
    std::uint64_t to = 0;          ///< the generation that begins to serve; 0: not known, or none
    pid_t pid = 0;                 ///< process of the generation that begins to serve; 0: none does
    std::string version = {};      ///< version of the generation that begins to serve; else empty
    std::string reason = {};       ///< why something failed; else empty
    std::optional<HandoverKind> kind = {};       ///< of the handover that it is about, if any
    std::optional<HandoverOutcome> result = {};  ///< of that handover, if it is known already
    /// Of a reload, from the request until the successor accepts.
    std::optional<std::chrono::milliseconds> duration = {};
    /// What became of the connections that the generation had when it stopped accepting.
    std::optional<ConnectionCounts> account = {};
    /// A listener of the generation that begins to serve.
    struct Listener {
        std::string name;      ///< of the WantedListener
        std::string endpoint;  ///< as Endpoint::to_string() has it
    };
    std::vector<Listener> listeners = {};  ///< of the generation that begins to serve; else empty
};

/// The name of the enumerator, for logs and programs: "took_over". Valid for ever. Thread-safe.
[[nodiscard]] std::string_view to_string(Report::Event event);

}  // namespace handover
