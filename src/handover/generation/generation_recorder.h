// SPDX-License-Identifier: MIT
#pragma once

#include "handover/generation/lifecycle.h"
#include "handover/ledger/generation_registry.h"
#include "handover/ledger/ledger.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace handover {

/// What one generation writes about itself into the registry, and about its handovers. Borrows the
/// ledger. For the thread of the lifecycle but for count().
class GenerationRecorder {
  public:
    GenerationRecorder(Ledger& ledger, std::string_view version);

    /// The first page. `predecessor` is the number of the generation that started this one. Returns
    /// a complaint for the operator if nothing can be written; then nothing is.
    [[nodiscard]] std::optional<std::string> begin(std::optional<std::uint64_t> predecessor);

    /// What it is now. `number` is 0 before it serves.
    void note(std::uint64_t number, lifecycle::State state,
              std::optional<std::chrono::steady_clock::time_point> drain_ends);
    /// It has done what the event asked for. To be noted first.
    void tell_transition(lifecycle::State before, lifecycle::Event event, lifecycle::State after);
    void tell(ServiceEvent::Type type, const std::string& text);
    /// How many connections it has, and had. Any thread.
    void count(const ConnectionCounts& counts) const;
    /// The last page.
    void end(const ConnectionCounts& account);

    // Of a successor, in this order; it may end at any time.
    void handover_begins();
    void successor_accepts(std::uint64_t number, std::chrono::milliseconds after);
    void handover_ends(HandoverOutcome outcome, const std::string& reason);

    /// It serves, and was started by nobody. `gap`: the time in which nobody did.
    void came_up(std::optional<std::chrono::milliseconds> gap);
    /// It serves, since its predecessor ended without a word.
    void succeeded_a_crash();

  private:
    [[nodiscard]] std::uint64_t number() const;
    [[nodiscard]] std::string name() const;
    void write();
    [[nodiscard]] LedgerFormat::Handover new_handover(Cause cause) const;

    Ledger& ledger_;
    GenerationRegistry registry_;
    std::optional<GenerationRegistry::Place> place_;
    std::chrono::steady_clock::time_point begun_;
    LedgerFormat::Generation page_{};
    LedgerFormat::Handover handover_{};  ///< id 0: none goes on
};

/// What a generation in this state is to the service; `ended` has no say in that.
[[nodiscard]] std::optional<Role> role_of(lifecycle::State state);

}  // namespace handover
