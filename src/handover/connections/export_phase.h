// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

/// Where the connections of a generation go when it ends, as a pure function: no descriptor, no
/// clock, no memory. An export is in one Phase. Whatever it is told, and whatever happens to its
/// services, its channels and the fd store, is an Event. step() looks up what that means in the
/// table of export_phase.cpp: the next phase, and the Actions that lead there. ConnectionExport
/// makes events of what happens, and carries the actions out in their order.
///
///     to the successor:      moving ----------- nothing left ----> finishing_move --+
///                              | store           (all sent)                         |
///                              v                                                 account
///                       moving_until_stored                                       sent
///                              | a channel is stored                                |
///                              v                                                    v
///     into the fd store:    storing ----------- nothing left ----> finishing_store -> done
///      awaiting_store ---->  ^  | full                                              ^
///                            |  v                                                   |
///                       awaiting_channel                                            |
///                                                                                   |
///     politely closed:      closing ----------- nothing left -----------------------+
///
/// A way that fails leads to the next one, with all that it has not sent: from the successor into
/// the store, if that has been asked; from the store, and from a successor with no store, to
/// awaiting_recall as long as this generation may accept again, and else to closing. The deadline
/// leads from everywhere to done, and a recall from everywhere to idle.
///
/// Three facts are not in the phase but beside it, for each is true or false in almost every phase,
/// and would double their number. May the connections still be recalled? An argument of step(),
/// which decides where a way that fails leads to. May others still arrive, and have the services
/// drained? They only say together when nothing is left: see Left.
///
/// To add a phase, an event or an action: give it a place in its enum, before the last one, of
/// which the counts are made. The compiler asks for its name and for its row.
/// tests/unit/handover/export_phase_test.cpp says what has to be true of all rows.
namespace handover::export_phase {

enum class Phase {
    idle,                 ///< nothing has been said: the services have their connections
    moving,               ///< the services give to the successor
    moving_until_stored,  ///< the services give to the successor; the store is asked for a channel
    finishing_move,       ///< all is sent to the successor; the account is on its way
    awaiting_store,       ///< served on until the store has taken a channel
    storing,              ///< the services give into a channel in the store
    awaiting_channel,     ///< that channel is full: what is given waits for another
    finishing_store,      ///< all is in the store; the account is on its way
    awaiting_recall,  ///< served on: nobody takes them, but this generation may soon accept again
    closing,          ///< nobody takes them: the services close them politely
    done,             ///< nothing is left, or the deadline has cut what was
};
inline constexpr std::size_t phase_count = static_cast<std::size_t>(Phase::done) + 1;

enum class Event {
    move_to,          ///< told: there is a successor to give to
    store,            ///< told: into the fd store, and there is something to store
    store_nothing,    ///< told: into the fd store, and there is nothing: none held, none to arrive
    drain,            ///< told: nowhere; nobody will recall them any more
    settle,           ///< told: nobody will recall them any more
    recall,           ///< told: the successor died, and the services accept again
    keep,             ///< told: the successor ends as well, and takes nothing any more
    cut,              ///< told: the deadline has passed, and the services have cut theirs
    channel_opened,   ///< the store has taken a channel
    channel_refused,  ///< the store has not taken a channel
    channel_full,     ///< the channel in the store takes no more
    failed,           ///< nothing more can be sent to where the sender sends
    all_sent,         ///< the sender has sent all it had, and the account if it has one
    late_imports,     ///< the last one to arrive came after the services had drained
    nothing_left,     ///< see Left
};
inline constexpr std::size_t event_count = static_cast<std::size_t>(Event::nothing_left) + 1;

enum class Action {
    begin_moving,      ///< make a sender to the successor
    begin_storing,     ///< make a sender into the store; one to the successor waits aside
    give,              ///< the services give what they have to the sender
    close,             ///< the services close what they have, politely
    serve_on,          ///< the services keep what they have, as if they had not been asked
    use_channel,       ///< the sender sends over the channel that the event brings
    pass_unsent_on,    ///< from the sender aside to the new one; the successor gets the account
    drop_sender,       ///< it has sent the account
    warn_unsent,       ///< to the log: how many could not be sent, and why
    return_unsent,     ///< what the sender has not sent goes back to the services; it is dropped
    return_unread,     ///< what the successor has not read goes back to the services
    ask_store,         ///< for a channel
    warn_not_stored,   ///< to the log: the connections do not survive the restart
    send_account,      ///< the sender sends the account after what it has
    withdraw_account,  ///< the sender does not send it, for something is left after all
    send_account_now,  ///< the sender sends the account if its channel takes it at once
    cut_unsent,        ///< close what the sender has not sent
    report_done,       ///< to whoever waits for the end
};
inline constexpr std::size_t action_count = static_cast<std::size_t>(Action::report_done) + 1;

struct Transition {
    Phase next;
    std::span<const Action> actions;  ///< in this order; part of the table, so always valid
};

/// What `event` means in `phase`, while the connections may still be recalled or not. Every event
/// is allowed in every phase; one that has no row in the table changes nothing.
[[nodiscard]] Transition step(Phase phase, Event event, bool may_be_recalled);

/// What an export still has to wait for, whatever its phase.
struct Left {
    bool imports_expected;  ///< others may still arrive from an older generation
    bool services_drained;  ///< since they were last told what to do with their connections
    std::size_t not_sent;   ///< by the sender, if there is one

    /// Time for Event::nothing_left?
    [[nodiscard]] constexpr bool nothing() const {
        return !imports_expected && services_drained && not_sent == 0;
    }
};

// For tests and for people who debug.
[[nodiscard]] std::string_view to_string(Phase phase);
[[nodiscard]] std::string_view to_string(Event event);
[[nodiscard]] std::string_view to_string(Action action);

}  // namespace handover::export_phase
