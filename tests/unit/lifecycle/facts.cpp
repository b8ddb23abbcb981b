// SPDX-License-Identifier: MIT
#include "unit/lifecycle/facts.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace handover::test {
namespace {

using namespace lifecycle;
using enum Action;
using Predecessor = Facts::Predecessor;
using Successor = Facts::Successor;
using Connections = Facts::Connections;
using Probation = Facts::Probation;

// ---- what an action needs, and does

struct Deed {
    Action action;
    std::string_view needs;
    bool (*may_be_done)(const Facts& facts);
    void (*is_done)(Facts& facts);
};

constexpr Deed deeds[] = {
    {take_over, "a generation counts once", [](const Facts& f) { return !f.numbered; },
     [](Facts& f) { f.numbered = true; }},
    {store_listeners, "a place in the count, and listeners that are not stored; not to be silent",
     [](const Facts& f) {
         return f.numbered && f.holds_listeners && !f.stored_listeners && !f.silent;
     },
     [](Facts& f) { f.stored_listeners = true; }},
    {start_accepting, "listeners that survive a crash, and no successor that accepts as well",
     [](const Facts& f) {
         return f.numbered && f.holds_listeners && !f.accepts &&
                (f.stored_listeners || f.predecessor != Predecessor::none) &&
                f.successor == Successor::none;
     },
     [](Facts& f) { f.accepts = true; }},
    {adopt_stored_connections, "somebody to serve them, and a manager that is not told yet",
     [](const Facts& f) { return f.accepts && !f.main && !f.adopted_stored; },
     [](Facts& f) { f.adopted_stored = true; }},
    {announce_ready, "to accept, with listeners in the fd store; once",
     [](const Facts& f) { return f.accepts && f.stored_listeners && !f.main && !f.silent; },
     [](Facts& f) { f.main = true; }},
    {report_serving, "to accept; once", [](const Facts& f) { return f.accepts && !f.told_log; },
     [](Facts& f) { f.told_log = true; }},
    {say_ready, "a predecessor that waits for it; once",
     [](const Facts& f) { return f.predecessor == Predecessor::waits && !f.said_ready; },
     [](Facts& f) { f.said_ready = true; }},
    {ask_for_promotion, "a predecessor that watches; once",
     [](const Facts& f) { return f.predecessor == Predecessor::watches && !f.asked_for_promotion; },
     [](Facts& f) { f.asked_for_promotion = true; }},
    {pass_stop_to_predecessor, "a predecessor that watches; once",
     [](const Facts& f) {
         return f.predecessor == Predecessor::watches && !f.passed_to_predecessor;
     },
     [](Facts& f) { f.passed_to_predecessor = true; }},
    {pass_restart_to_predecessor, "a predecessor that watches; once",
     [](const Facts& f) {
         return f.predecessor == Predecessor::watches && !f.passed_to_predecessor;
     },
     [](Facts& f) { f.passed_to_predecessor = true; }},
    {announce_reloading, "to be the main process, and not to reload",
     [](const Facts& f) { return f.speaks() && !f.reloading; },
     [](Facts& f) { f.reloading = true; }},
    {start_successor, "a request, a manager that knows of the reload, and no other successor",
     [](const Facts& f) {
         return f.reloading && f.successor == Successor::none && f.request_waits;
     },
     [](Facts& f) {
         f.successor = Successor::starts;
         f.request_is_tried = std::exchange(f.request_waits, false);
     }},
    {end_successor, "a successor", [](const Facts& f) { return f.successor != Successor::none; },
     [](Facts& f) {
         f.successor = Successor::none;
         f.probation = Probation::none;
     }},
    {report_failed_handover,
     "a request, a successor that is gone, and that whoever connects is served",
     [](const Facts& f) {
         return f.request_is_tried && f.reloading && f.successor == Successor::none && f.accepts &&
                f.speaks();
     },
     [](Facts& f) { f.reloading = f.hands_main_pid = f.request_is_tried = false; }},
    {refuse_handover, "a request", [](const Facts& f) { return f.request_waits; },
     [](Facts& f) { f.request_waits = false; }},
    {pass_handover_on, "a request, and a successor that accepts",
     [](const Facts& f) { return f.request_waits && f.successor == Successor::accepts; },
     [](Facts& f) { f.request_waits = false; }},
    {pass_stop_on, "a successor that accepts, and was not told",
     [](const Facts& f) { return f.successor == Successor::accepts && !f.told_successor_to_stop; },
     [](Facts& f) { f.told_successor_to_stop = true; }},
    {say_go, "a successor that waits for it, and to accept until then",
     [](const Facts& f) { return f.successor == Successor::starts && f.accepts; },
     [](Facts& f) { f.successor = Successor::accepts; }},
    {report_handover,
     "a request, a successor that accepts instead of us, and silence if it is the main process",
     [](const Facts& f) {
         return f.request_is_tried && f.reloading && f.successor == Successor::accepts &&
                !f.accepts && f.silent == f.hands_main_pid;
     },
     [](Facts& f) { f.reloading = f.request_is_tried = false; }},
    {start_probation, "a successor that accepts, without a probation",
     [](const Facts& f) {
         return f.successor == Successor::accepts && f.probation == Probation::none;
     },
     [](Facts& f) { f.probation = Probation::runs; }},
    {recall_connections, "to accept, and a successor that does not read any more",
     [](const Facts& f) {
         return f.accepts && f.successor == Successor::none && f.connections == Connections::move;
     },
     [](Facts& f) {
         f.connections = Connections::stay;
         f.drained = false;
         f.owes_rollback = true;
     }},
    {report_rollback, "connections that came back, to somebody who accepts",
     [](const Facts& f) { return f.owes_rollback && f.accepts && f.speaks(); },
     [](Facts& f) { f.owes_rollback = f.hands_main_pid = false; }},
    {hand_main_pid, "a successor, and to be the main process, until then",
     [](const Facts& f) {
         return f.successor != Successor::none && f.speaks() && !f.hands_main_pid;
     },
     [](Facts& f) {
         f.hands_main_pid = true;
         if (f.probation == Probation::runs) f.probation = Probation::is_over;
     }},
    {fall_silent, "a successor that speaks instead",
     [](const Facts& f) { return f.hands_main_pid && !f.silent; },
     [](Facts& f) { f.silent = true; }},
    {release_successor,
     "a successor that accepts and is main, or is told to stop, or of which all is taken back",
     [](const Facts& f) {
         return f.successor == Successor::accepts &&
                (f.silent || f.connections == Connections::go_to_store ||
                 (f.told_successor_to_stop && f.connections == Connections::close));
     },
     [](Facts& f) { f.successor = Successor::none; }},
    {stop_accepting, "a successor that accepts, or a manager that knows",
     [](const Facts& f) {
         return f.accepts && (f.successor == Successor::accepts || f.announced_end);
     },
     [](Facts& f) { f.accepts = false; }},
    {announce_restarting, "that nothing is announced yet, and READY=1 after RELOADING=1",
     [](const Facts& f) { return !f.announced_end && !f.reloading; },
     [](Facts& f) { f.announced_end = true; }},
    {announce_stopping, "to be the main process, and READY=1 after RELOADING=1",
     [](const Facts& f) { return f.speaks() && !f.announced_end && !f.reloading; },
     [](Facts& f) { f.announced_end = true; }},
    {drop_predecessor, "that the connections which it has sent are not too late to be closed well",
     [](const Facts& f) {
         return f.predecessor != Predecessor::dropped && f.connections != Connections::close;
     },
     [](Facts& f) {
         if (f.can_receive()) f.predecessor = Predecessor::dropped;
     }},
    {release_listeners, "not to accept, and a manager that knows whose the listeners are",
     [](const Facts& f) {
         return f.holds_listeners && !f.accepts && (f.hands_main_pid || f.announced_end);
     },
     [](Facts& f) { f.holds_listeners = false; }},
    {retire_listeners, "listeners, and a manager or a predecessor that knows",
     [](const Facts& f) {
         return f.holds_listeners && (f.announced_end || f.passed_to_predecessor);
     },
     [](Facts& f) { f.accepts = f.holds_listeners = false; }},
    {move_connections, "a successor that accepts instead of us",
     [](const Facts& f) {
         return f.successor == Successor::accepts && !f.accepts &&
                f.connections == Connections::stay;
     },
     [](Facts& f) { f.connections = Connections::move; }},
    {store_connections, "that no more are accepted",
     [](const Facts& f) { return !f.holds_listeners && f.connections != Connections::go_to_store; },
     [](Facts& f) {
         f.connections = Connections::go_to_store;
         f.drained = false;
     }},
    {drain_promptly, "that no more are accepted", [](const Facts& f) { return !f.holds_listeners; },
     [](Facts& f) {
         f.connections = Connections::close;
         f.drained = false;
     }},
    {close_remaining, "that they had time to go",
     [](const Facts& f) { return f.connections != Connections::stay && !f.drained; },
     [](Facts& f) { f.drained = true; }},
    {end, "that nobody is left: no successor of ours, no connection",
     [](const Facts& f) {
         return !f.has_ended && f.successor == Successor::none && (f.drained || !f.numbered);
     },
     [](Facts& f) { f.has_ended = true; }},
};
static_assert(std::size(deeds) == action_count);

const Deed& deed(Action action) {
    return *std::find_if(std::begin(deeds), std::end(deeds),
                         [&](const Deed& candidate) { return candidate.action == action; });
}

}  // namespace

bool Facts::can_happen(State state, Event event) const {
    if (has_ended) return event == Event::handover_requested;
    switch (event) {
        case Event::started:
        case Event::started_by_predecessor:
            return state == State::starting;
        case Event::go:
            return predecessor == Predecessor::waits;
        case Event::promoted:
            return predecessor == Predecessor::watches;
        case Event::predecessor_lost:
            return predecessor == Predecessor::waits || predecessor == Predecessor::watches;
        case Event::successor_ready:
        case Event::old_successor_ready:
            return successor == Successor::starts && !hands_main_pid;
        case Event::successor_failed:
            return successor != Successor::none;
        case Event::promotion_wanted:
            return successor == Successor::accepts && !hands_main_pid;
        case Event::probation_passed:
            return probation == Probation::runs;
        case Event::main_pid_handed:
            return hands_main_pid && successor != Successor::none;
        case Event::drained:
        case Event::deadline_passed:
            return connections != Connections::stay && !drained;
        case Event::handover_requested:
        case Event::stop_requested:
        case Event::interrupted:
        case Event::restart_requested:
            return true;
    }
    __builtin_unreachable();
}

void Facts::happens(Event event) {
    switch (event) {
        case Event::started_by_predecessor:
            predecessor = Predecessor::waits;
            return;
        case Event::go:
            predecessor = Predecessor::watches;
            return;
        case Event::promoted:
            predecessor = Predecessor::promoted_us;
            return;
        case Event::predecessor_lost:
            predecessor = Predecessor::lost;
            return;
        case Event::probation_passed:
            probation = Probation::is_over;
            return;
        case Event::handover_requested:
            request_waits = true;
            return;
        case Event::drained:
            drained = true;
            return;
        default:
            return;
    }
}

void Facts::is_done(Action action) {
    deed(action).is_done(*this);
}

std::string_view missing(const Facts& facts, Action action) {
    return deed(action).may_be_done(facts) ? "" : deed(action).needs;
}

}  // namespace handover::test
