// SPDX-License-Identifier: MIT
#pragma once

#include "handover/history.h"
#include "handover/ledger/ledger_format.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace handover {

/// The last events in the life of a service, in the order of their ids: a view of the ledger.
/// Thread-safe, between processes, too.
///
/// A writer claims the next id, writes, and says that it has. Should it be killed or stopped in
/// between, those who read wait for it for a moment, as whoever remembers the last id that he has
/// seen must not be shown a later one first; then they give it up. A writer that finds itself given
/// up takes another id. So none is missed and none comes twice, whoever dies when.
class EventLog {
  public:
    explicit EventLog(LedgerFormat& page) noexcept : page_(&page) {}

    /// Gives it an id and wakes those who wait.
    void append(const ServiceEvent& event) const noexcept;

    /// The id of the last one; 0: there is none.
    [[nodiscard]] std::uint64_t last() const noexcept;
    /// Those behind the one with this id, oldest first, as soon as there is one; empty if none has
    /// come in that time. An id that has not been given yet is one of another ledger: all there
    /// are.
    [[nodiscard]] std::vector<ServiceEvent> await(std::uint64_t after,
                                                  std::chrono::milliseconds timeout) const;

  private:
    struct Found {
        std::vector<ServiceEvent> events;
        std::optional<std::uint64_t> unfinished;  ///< somebody writes it, or has died meanwhile
    };
    [[nodiscard]] Found find(std::uint64_t after) const;
    [[nodiscard]] std::optional<std::uint64_t> claim() const noexcept;
    void raise_last(std::uint64_t id) const noexcept;
    void give_up(std::uint64_t id) const noexcept;
    [[nodiscard]] LedgerFormat::EventPlace& place_of(std::uint64_t id) const noexcept {
        return page_->events[id % LedgerFormat::events_most];
    }

    LedgerFormat* page_;
};

}  // namespace handover
