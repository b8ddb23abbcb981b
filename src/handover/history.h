// SPDX-License-Identifier: MIT
#pragma once

#include "handover/connection_counts.h"
#include "handover/handover_result.h"

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handover {

// What a service remembers about itself, in whichever generation. It lies in the ledger, so that it
// goes on through handovers, and with an fd store through restarts and crashes. The numbers of
// enumerators are a format that releases share: a new one is added at the end.

/// What a generation is to the service.
enum class Role : std::uint8_t {
    starting,    ///< serves nobody yet
    probation,   ///< accepts; its predecessor watches it
    serving,     ///< accepts; is the main process
    draining,    ///< has handed over; finishes what is in flight
    stopping,    ///< finishes what is in flight; the service ends
    restarting,  ///< finishes what is in flight; the next generation comes out of the fd store
    ended,       ///< has ended, and had time to say so
    crashed,     ///< has ended without a word
};

/// What a generation, or a handover, began with.
enum class Cause : std::uint8_t {
    start,    ///< there was no generation before, or the service had been stopped
    reload,   ///< the generation before started it
    restart,  ///< the generation before left for it
    crash,    ///< the generation before ended without a word
};

/// One run of the program, as it has written about itself. A value type; its texts are printable(),
/// whichever release wrote them. Times are of the wall clock, to the millisecond.
struct GenerationRecord {
    using Time = std::chrono::system_clock::time_point;

    /// Counted from 1. As long as the role is Role::starting, the number that it would get.
    std::uint64_t number = 0;
    pid_t pid = -1;
    std::string version;  ///< GenerationOptions::version, cut to 64 bytes
    Role role = Role::starting;
    std::string state;  ///< GenerationStatus::state, or the last one if it has ended
    Cause cause = Cause::start;
    std::uint64_t from = 0;  ///< number of the generation before it; 0: there was none
    Time started_at;
    std::optional<Time> ready_at;       ///< when it could have accepted; nullopt: not yet
    std::optional<Time> ended_at;       ///< nullopt: not yet, or not known, as it crashed
    std::optional<Time> drain_ends_at;  ///< when it will close what is left; nullopt: no drain
    /// Of all its connections; of a generation that crashed, the last that it told.
    ConnectionCounts counts;
    /// Of the connections that it had when it stopped accepting. nullopt: it has not ended, or
    /// crashed.
    std::optional<ConnectionCounts> final_account;
};

/// One try to get a next generation, and what came of it. A value type; its text is printable(),
/// whichever release wrote it.
struct HandoverRecord {
    std::uint64_t id = 0;                      ///< counted from 1, by all generations together
    std::chrono::system_clock::time_point at;  ///< when it began
    Cause cause = Cause::start;
    std::optional<HandoverOutcome> outcome;  ///< nullopt: it goes on, or is on probation
    std::uint64_t from = 0;                  ///< number of the generation before; 0: there was none
    std::uint64_t to = 0;  ///< number of the next generation; 0: it has not got one
    /// Of a reload the time from the request until the successor accepts, of a restart the time in
    /// which nobody accepted, of a start the time until it accepts. nullopt: not known.
    std::optional<std::chrono::milliseconds> duration;
    std::string reason;  ///< why it failed or was rolled back; otherwise empty
};

/// Something that happened to a generation: see Generation::wait_for_events(). A value type; its
/// text is printable(), whichever release wrote it.
struct ServiceEvent {
    enum class Type : std::uint8_t {
        starting,     ///< the generation has begun to start
        ready,        ///< it could accept; its predecessor does
        serving,      ///< it accepts and is the main process
        probation,    ///< it accepts, and its predecessor watches it
        draining,     ///< it accepts no more: its successor does
        promoted,     ///< its probation is over, and it is the main process
        rolled_back,  ///< its successor died on probation, and it accepts again
        failed,       ///< its successor never took over
        stopping,     ///< it accepts no more: the service ends
        restarting,   ///< it leaves for a restart by the service manager
        ended,        ///< it has ended
    };

    std::uint64_t id = 0;  ///< counted from 1, by all generations together
    std::chrono::system_clock::time_point at;
    std::uint64_t generation = 0;  ///< number of the generation that it is about
    pid_t pid = -1;                ///< process of the generation that it is about
    Type type = Type::starting;
    std::string text;  ///< one sentence for people
};
/// Every ServiceEvent::Type, in the order of their numbers.
inline constexpr std::array all_service_event_types{
    ServiceEvent::Type::starting,    ServiceEvent::Type::ready,    ServiceEvent::Type::serving,
    ServiceEvent::Type::probation,   ServiceEvent::Type::draining, ServiceEvent::Type::promoted,
    ServiceEvent::Type::rolled_back, ServiceEvent::Type::failed,   ServiceEvent::Type::stopping,
    ServiceEvent::Type::restarting,  ServiceEvent::Type::ended};

/// The last generations and handovers of a service, a snapshot: see Generation::history(). A value
/// type.
struct History {
    std::vector<GenerationRecord> generations;  ///< newest first, 16 at most
    std::vector<HandoverRecord> handovers;      ///< newest first, 64 at most
};

/// The name of the enumerator, for people and programs: "probation". Valid for ever. Thread-safe.
[[nodiscard]] std::string_view to_string(Role role);
/// The name of the enumerator, for people and programs: "reload". Valid for ever. Thread-safe.
[[nodiscard]] std::string_view to_string(Cause cause);
/// The name of the enumerator, for people and programs: "rolled_back". Valid for ever. Thread-safe.
[[nodiscard]] std::string_view to_string(ServiceEvent::Type type);

}  // namespace handover
