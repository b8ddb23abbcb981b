// SPDX-License-Identifier: MIT
#pragma once

#include "handover/history.h"
#include "handover/ledger/event_log.h"
#include "handover/ledger/ledger_format.h"
#include "handover/unique_fd.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace handover {

/// What the generations of a service have written about themselves: a view of the ledger. Whatever
/// is in that, what is read is well-formed. Thread-safe, between processes, too.
///
/// Each generation has a place of its own, by a lock on a byte far behind the end of the file
/// (F_OFD_SETLK, fcntl(2)), and another lock as long as it lives. The kernel drops both when a
/// process ends, however that happens; a pid would mean somebody else before long, or nobody in
/// another container.
class GenerationRegistry {
  public:
    /// Borrows both: the page, and the descriptor of the file that it lies in.
    GenerationRegistry(LedgerFormat& page, int fd) noexcept : page_(&page), fd_(fd) {}

    /// Held until it is destroyed, or the process ends.
    struct Place {
        std::size_t index;
        std::uint64_t life;  ///< the number of the lock that says that it lives
        UniqueFd locks;      ///< an open file of its own: locks belong to one
    };
    /// For a new generation: a free one, or that of the generation that ended first. nullopt with
    /// errno if there is none, or if the kernel gives no lock.
    [[nodiscard]] std::optional<Place> take_place() const;
    /// By the one that holds it.
    void write(const Place& place, const LedgerFormat::Generation& generation) const noexcept;
    /// The same; any thread.
    void count(std::size_t place, const ConnectionCounts& counts) const noexcept;

    /// The id for another handover.
    [[nodiscard]] std::uint64_t next_handover() const noexcept;
    void write(const LedgerFormat::Handover& handover) const noexcept;

    [[nodiscard]] History read() const;
    [[nodiscard]] EventLog event_log() const noexcept { return EventLog(*page_); }

  private:
    struct Found {
        GenerationRecord record;
        bool lives;
    };
    [[nodiscard]] std::vector<std::size_t> places_in_order() const;
    [[nodiscard]] std::optional<Found> find(std::size_t place) const;
    [[nodiscard]] std::vector<Found> generations() const;
    [[nodiscard]] std::vector<HandoverRecord> handovers(const std::vector<Found>& known) const;

    LedgerFormat* page_;
    int fd_;
};

}  // namespace handover
