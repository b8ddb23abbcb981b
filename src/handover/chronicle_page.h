// SPDX-License-Identifier: MIT
#pragma once

#include "handover/shared_cell.h"
#include "handover/totals.h"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace handover {

/// The part of the ledger that Chronicle and Happenings are views of: a format that releases share,
/// of which no number can be changed any more. All zero is a valid one in which nothing is. What is
/// `unused` is 0 until a release gives it a meaning.
struct ChroniclePage {
    static constexpr std::size_t generations_most = 80;
    static constexpr std::size_t handovers_most = 64;
    static constexpr std::size_t happenings_most = 128;
    static constexpr std::size_t endings_most = 15;

    struct Account {
        std::uint64_t opened;
        std::uint64_t ended[endings_most];  ///< by Ending
    };

    /// Times are ms of CLOCK_REALTIME, 0: none.
    struct Generation {
        std::uint64_t number;
        std::uint64_t life;  ///< see Chronicle::Place
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

    struct Happening {
        std::uint64_t id;
        std::int64_t at;
        std::uint64_t generation;
        std::int64_t pid;
        std::uint64_t what;  ///< a Happening::What
        BoundedText<256> text;
        std::uint64_t unused[2];
    };

    /// Whoever holds the lock of the place writes in it (see Chronicle). The totals are apart: they
    /// are counts, of which each is right by itself.
    struct GenerationPlace {
        SharedCell<Generation> record;
        Total opened;
        Total ended[endings_most];
    };
    struct HappeningPlace {
        Total claim;  ///< see Happenings
        SharedCell<Happening> record;
    };

    Total lives;  ///< counted up with each generation that takes a place
    GenerationPlace generations[generations_most];
    Total last_handover;  ///< an id; its place is that modulo handovers_most
    SharedCell<Handover> handovers[handovers_most];
    Total last_happening;  ///< an id; its place is that modulo happenings_most
    HappeningPlace happenings[happenings_most];
    std::atomic<std::uint32_t> bell;  ///< a futex(2): counted up with each happening
    std::uint32_t unused;
};

}  // namespace handover
