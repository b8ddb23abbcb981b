// SPDX-License-Identifier: MIT
#pragma once

#include "handover/counters.h"
#include "handover/ledger/shared_record.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace handover {

/// The part of the ledger that GenerationRegistry and EventLog are views of: a format that releases
/// share, of which no number can be changed any more. All zero is a valid one in which nothing is.
/// What is `unused` is 0 until a release gives it a meaning.
struct LedgerFormat {
    static constexpr std::size_t generations_most = 80;
    static constexpr std::size_t handovers_most = 64;
    static constexpr std::size_t events_most = 128;
    static constexpr std::size_t close_reasons_most = 15;

    struct Account {
        std::uint64_t opened;
        std::uint64_t ended[close_reasons_most];  ///< by CloseReason
    };

    /// Times are ms of CLOCK_REALTIME, 0: none.
    struct Generation {
        std::uint64_t number;
        std::uint64_t life;  ///< see GenerationRegistry::Place
        std::int64_t pid;
        std::uint64_t role;   ///< a Role
        std::uint64_t cause;  ///< a Cause
        std::uint64_t from;
        std::int64_t started_at;
        std::int64_t ready_at;
        std::int64_t ended_at;
        std::int64_t drain_ends_at;
        Account final_account;
        BoundedText<32> state;
        BoundedText<64> version;
        std::uint64_t unused[8];
    };

    struct Handover {
        std::uint64_t id;
        std::int64_t at;
        std::uint64_t cause;    ///< a Cause
        std::uint64_t outcome;  ///< a HandoverOutcome and 1; 0: it goes on
        std::uint64_t from;
        std::uint64_t to;
        std::uint64_t duration;  ///< ms and 1; 0: not known
        BoundedText<256> reason;
        std::uint64_t unused[4];
    };

    struct ServiceEvent {
        std::uint64_t id;
        std::int64_t at;
        std::uint64_t generation;
        std::int64_t pid;
        std::uint64_t type;  ///< a ServiceEvent::Type
        BoundedText<256> text;
        std::uint64_t unused[2];
    };

    /// Whoever holds the lock of the place writes in it (see GenerationRegistry). The counters are
    /// apart: they are counts, of which each is right by itself.
    struct GenerationPlace {
        SharedRecord<Generation> record;
        Counter opened;
        Counter ended[close_reasons_most];
    };
    struct EventPlace {
        Counter claim;  ///< see EventLog
        SharedRecord<ServiceEvent> record;
    };

    Counter lives;  ///< counted up with each generation that takes a place
    GenerationPlace generations[generations_most];
    Counter last_handover;  ///< an id; its place is that modulo handovers_most
    SharedRecord<Handover> handovers[handovers_most];
    Counter last_event_id;  ///< an id; its place is that modulo events_most
    EventPlace events[events_most];
    std::atomic<std::uint32_t> futex;  ///< a futex(2): counted up with each event
    std::uint32_t unused;
};

// Times in the page. What no clock would say is read as the earliest or the latest.
[[nodiscard]] std::int64_t ms_of(std::chrono::system_clock::time_point time) noexcept;
[[nodiscard]] std::chrono::system_clock::time_point time_of(std::int64_t ms) noexcept;

}  // namespace handover
