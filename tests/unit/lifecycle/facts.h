// SPDX-License-Identifier: MIT
#pragma once

#include "handover/generation/lifecycle.h"

#include <compare>
#include <string_view>

namespace handover::test {

/// What has become of one generation by all that it has done, and by all that has happened to it:
/// finitely much, so a test can follow every way of it to the end.
struct Facts {
    enum class Predecessor : unsigned char { none, waits, watches, promoted_us, lost, dropped };
    enum class Successor : unsigned char { none, starts, accepts };
    enum class Connections : unsigned char { stay, move, go_to_store, close };
    enum class Probation : unsigned char { none, runs, is_over };

    bool numbered = false;
    bool accepts = false;
    bool holds_listeners = true;
    bool stored_listeners = false;  ///< they are in the fd store, and nobody else can bind them
    bool adopted_stored = false;    ///< connections of the generation before a restart
    bool told_log = false;
    Predecessor predecessor = Predecessor::none;
    bool said_ready = false;
    bool asked_for_promotion = false;
    bool passed_to_predecessor = false;
    bool main = false;
    bool silent = false;
    bool reloading = false;
    bool request_waits = false;     ///< for a handover, and nobody has looked at it
    bool request_is_tried = false;  ///< the successor is the answer, if it starts
    bool owes_rollback = false;     ///< connections came back, and nobody has been told why
    bool announced_end = false;
    Successor successor = Successor::none;
    bool told_successor_to_stop = false;
    bool hands_main_pid = false;
    Probation probation = Probation::none;
    Connections connections = Connections::stay;
    bool drained = false;
    bool has_ended = false;

    // clang-tidy takes the 0 of a comparison for a pointer.
    // NOLINTNEXTLINE(modernize-use-nullptr)
    auto operator<=>(const Facts&) const = default;

    /// For the service, to its manager.
    [[nodiscard]] bool speaks() const { return main && !silent; }
    /// Connections, from a predecessor.
    [[nodiscard]] bool can_receive() const {
        return predecessor == Predecessor::watches || predecessor == Predecessor::promoted_us;
    }
    /// Can the cause of `event` be there at all?
    [[nodiscard]] bool can_happen(lifecycle::State state, lifecycle::Event event) const;
    void happens(lifecycle::Event event);
    void is_done(lifecycle::Action action);
};

/// What `action` needs and does not find; empty if it may be done now.
[[nodiscard]] std::string_view missing(const Facts& facts, lifecycle::Action action);

/// What `event` is to lead to, and has not: `facts` and `state` are what came of it; empty if it
/// has.
[[nodiscard]] std::string_view unmet(lifecycle::Event event, const Facts& facts,
                                     lifecycle::State state);

/// What a generation in `state` is and is not, and these facts say otherwise; empty if they agree.
[[nodiscard]] std::string_view disagreement(const Facts& facts, lifecycle::State state);

}  // namespace handover::test
