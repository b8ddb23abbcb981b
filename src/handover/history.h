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

// What a service remembers about itself, in whichever generation. It lies in the ledger, so that
// it goes on through handovers, and with an fd store through restarts and crashes. The texts in it
// are printable(), whoever wrote them. The numbers of enumerators are a format that releases share:
// a new one is added at the end.

/// What a generation is to the service.
enum class Role : std::uint8_t {
    starting,    ///< serves nobody yet
    probation,   ///< accepts; its predecessor watches it
    serving,     ///< accepts; is the main process
    draining,    ///< has handed over; finishes what is in flight
    stopping,    ///< finishes what is in flight; the service ends
    restarting,  ///< the same; the next generation comes out of the fd store
    ended,       ///< and has said so
    crashed,     ///< ended without a word
};

/// What a generation, or a handover, began with.
enum class Cause : std::uint8_t {
    start,    ///< there was none before, or it had stopped
    reload,   ///< the one before started it
    restart,  ///< the one before left for it
    crash,    ///< the one before ended without a word
};

/// One run of the program.
struct GenerationRecord {
    using Time = std::chrono::system_clock::time_point;

    std::uint64_t number = 0;  ///< as long as it is `starting`, the one that it would get
    pid_t pid = -1;
    std::string version;
    Role role = Role::starting;
    std::string state;  ///< GenerationStatus::state; the last one, if it has ended
    Cause cause = Cause::start;
    std::uint64_t from = 0;  ///< number of the generation before it; 0: there was none
    Time started_at;
    std::optional<Time> ready_at;
    std::optional<Time> ended_at;       ///< not known of one that crashed
    std::optional<Time> drain_ends_at;  ///< then it closes what is left
    ConnectionCounts counts;            ///< of all its connections; of a crash, the last it told
    std::optional<ConnectionCounts>
        final_account;  ///< from when it stopped accepting, once it has ended
};

/// What became of one try to get a next generation.
struct HandoverRecord {
    std::uint64_t id = 0;  ///< counted up
    std::chrono::system_clock::time_point at;
    Cause cause = Cause::start;
    std::optional<HandoverOutcome> outcome;  ///< not yet: it goes on, or is on probation
    std::uint64_t from = 0;                  ///< number of a generation; 0: none
    std::uint64_t to = 0;                    ///< the same
    /// Of a reload until the successor accepts, of a restart the time in which nobody did, of a
    /// start until it accepts.
    std::optional<std::chrono::milliseconds> duration;
    std::string reason;  ///< why it failed
};

/// A moment in the life of a generation.
struct ServiceEvent {
    enum class Type : std::uint8_t {
        starting,
        ready,        ///< could accept; the predecessor does
        serving,      ///< is the main process
        probation,    ///< accepts, and is watched
        draining,     ///< its successor accepts
        promoted,     ///< its probation is over: it is the main process
        rolled_back,  ///< its successor died on probation: it accepts again
        failed,       ///< its successor never took over
        stopping,
        restarting,
        ended,
    };

    std::uint64_t id = 0;  ///< counted up, by all generations together
    std::chrono::system_clock::time_point at;
    std::uint64_t generation = 0;
    pid_t pid = -1;
    Type type = Type::starting;
    std::string text;  ///< a sentence
};
inline constexpr std::array all_service_event_types{
    ServiceEvent::Type::starting,    ServiceEvent::Type::ready,    ServiceEvent::Type::serving,
    ServiceEvent::Type::probation,   ServiceEvent::Type::draining, ServiceEvent::Type::promoted,
    ServiceEvent::Type::rolled_back, ServiceEvent::Type::failed,   ServiceEvent::Type::stopping,
    ServiceEvent::Type::restarting,  ServiceEvent::Type::ended};

struct History {
    std::vector<GenerationRecord> generations;  ///< newest first, 16 at most
    std::vector<HandoverRecord> handovers;      ///< newest first, 64 at most
};

/// For people and programs: "rolled_back".
[[nodiscard]] std::string_view to_string(Role role);
[[nodiscard]] std::string_view to_string(Cause cause);
[[nodiscard]] std::string_view to_string(ServiceEvent::Type type);

}  // namespace handover
