// SPDX-License-Identifier: MIT
#include "handover/lifecycle.h"

namespace handover::lifecycle {
namespace {

using enum Action;

Transition stay(State state) {
    return {state, {}};
}

Transition stop_serving() {
    return {State::stopping,
            {announce_stopping, drop_predecessor, retire_listeners, drain_promptly}};
}

Transition leave_serving() {
    return {State::leaving,
            {announce_leaving, stop_accepting, release_listeners, store_connections}};
}

/// READY=1 has to follow RELOADING=1, also when the handover ends in a stop.
Transition after_abandoning_successor(Transition transition) {
    transition.actions.insert(transition.actions.begin(), {end_successor, report_failed_handover});
    return transition;
}

Transition in_starting(Event event) {
    switch (event) {
        case Event::started:
            return {State::serving,
                    {take_over, store_listeners, start_accepting, adopt_stored_connections,
                     announce_ready}};
        case Event::started_by_predecessor:
            return {State::waiting_for_go, {say_ready}};
        case Event::stop_requested:
        case Event::interrupted:
        case Event::restart_requested:
            return {State::ended, {end}};
        case Event::handover_requested:
            return {State::starting, {refuse_handover}};
        default:
            return stay(State::starting);
    }
}

Transition in_waiting_for_go(Event event) {
    switch (event) {
        case Event::go:
        case Event::predecessor_lost:
            // Accepting comes before the store: the predecessor stops as soon as it has said go.
            return {State::serving, {take_over, start_accepting, store_listeners, announce_ready}};
        case Event::stop_requested:
        case Event::interrupted:
        case Event::restart_requested:
            return {State::ended, {end}};
        case Event::handover_requested:
            return {State::waiting_for_go, {refuse_handover}};
        default:
            return stay(State::waiting_for_go);
    }
}

Transition in_serving(Event event) {
    switch (event) {
        case Event::handover_requested:
            return {State::handing_over, {announce_reloading, start_successor}};
        case Event::stop_requested:
        case Event::interrupted:
            return stop_serving();
        case Event::restart_requested:
            return leave_serving();
        default:
            return stay(State::serving);
    }
}

Transition in_handing_over(Event event) {
    switch (event) {
        case Event::successor_ready:
            return {State::promoting, {hand_main_pid}};
        case Event::successor_failed:
            return {State::serving, {end_successor, report_failed_handover}};
        case Event::handover_requested:
            return {State::handing_over, {refuse_handover}};
        case Event::stop_requested:
        case Event::interrupted:
            return after_abandoning_successor(stop_serving());
        case Event::restart_requested:
            return after_abandoning_successor(leave_serving());
        default:
            return stay(State::handing_over);
    }
}

Transition in_promoting(Event event) {
    switch (event) {
        case Event::manager_informed:
            return {State::draining,
                    {say_go, stop_accepting, release_listeners, report_handover, move_connections}};
        case Event::successor_ready:
            return stay(State::promoting);
        default: {
            // As long as `go` has not been said, the successor can still be given up.
            auto transition = in_handing_over(event);
            if (transition.next == State::handing_over) transition.next = State::promoting;
            return transition;
        }
    }
}

/// What ends draining, leaving and stopping alike.
Transition in_draining_kind(State state, Event event) {
    switch (event) {
        case Event::drained:
            return {State::ended, {end}};
        case Event::deadline_passed:
            return {State::ended, {close_remaining, end}};
        case Event::handover_requested:
            return {state, {refuse_handover}};
        default:
            return stay(state);
    }
}

Transition in_draining(Event event) {
    switch (event) {
        case Event::stop_requested:
            return {State::draining, {drain_promptly}};
        case Event::restart_requested:
            return {State::leaving, {store_connections}};
        case Event::interrupted:
            return {State::stopping, {drain_promptly}};
        default:
            return in_draining_kind(State::draining, event);
    }
}

/// systemd sends SIGTERM twice under KillMode=control-group: it changes nothing here.
Transition in_leaving_or_stopping(State state, Event event) {
    if (event == Event::interrupted) return {State::ended, {close_remaining, end}};
    return in_draining_kind(state, event);
}

}  // namespace

Transition step(State state, Event event) {
    switch (state) {
        case State::starting:
            return in_starting(event);
        case State::waiting_for_go:
            return in_waiting_for_go(event);
        case State::serving:
            return in_serving(event);
        case State::handing_over:
            return in_handing_over(event);
        case State::promoting:
            return in_promoting(event);
        case State::draining:
            return in_draining(event);
        case State::leaving:
        case State::stopping:
            return in_leaving_or_stopping(state, event);
        case State::ended:
            return event == Event::handover_requested ? Transition{State::ended, {refuse_handover}}
                                                      : stay(State::ended);
    }
    __builtin_unreachable();
}

std::string_view to_string(State state) {
    switch (state) {
        case State::starting:
            return "starting";
        case State::waiting_for_go:
            return "waiting for go";
        case State::serving:
            return "serving";
        case State::handing_over:
            return "handing over";
        case State::promoting:
            return "promoting";
        case State::draining:
            return "draining";
        case State::leaving:
            return "leaving";
        case State::stopping:
            return "stopping";
        case State::ended:
            return "ended";
    }
    __builtin_unreachable();
}

std::string_view to_string(Event event) {
    switch (event) {
        case Event::started:
            return "started";
        case Event::started_by_predecessor:
            return "started by predecessor";
        case Event::go:
            return "go";
        case Event::predecessor_lost:
            return "predecessor lost";
        case Event::handover_requested:
            return "handover requested";
        case Event::successor_ready:
            return "successor ready";
        case Event::successor_failed:
            return "successor failed";
        case Event::manager_informed:
            return "manager informed";
        case Event::stop_requested:
            return "stop requested";
        case Event::interrupted:
            return "interrupted";
        case Event::restart_requested:
            return "restart requested";
        case Event::drained:
            return "drained";
        case Event::deadline_passed:
            return "deadline passed";
    }
    __builtin_unreachable();
}

std::string_view to_string(Action action) {
    switch (action) {
        case Action::take_over:
            return "take over";
        case Action::store_listeners:
            return "store listeners";
        case Action::start_accepting:
            return "start accepting";
        case Action::adopt_stored_connections:
            return "adopt stored connections";
        case Action::announce_ready:
            return "announce ready";
        case Action::say_ready:
            return "say ready";
        case Action::announce_reloading:
            return "announce reloading";
        case Action::start_successor:
            return "start successor";
        case Action::end_successor:
            return "end successor";
        case Action::report_failed_handover:
            return "report failed handover";
        case Action::refuse_handover:
            return "refuse handover";
        case Action::hand_main_pid:
            return "hand main pid";
        case Action::say_go:
            return "say go";
        case Action::report_handover:
            return "report handover";
        case Action::stop_accepting:
            return "stop accepting";
        case Action::announce_leaving:
            return "announce leaving";
        case Action::announce_stopping:
            return "announce stopping";
        case Action::drop_predecessor:
            return "drop predecessor";
        case Action::release_listeners:
            return "release listeners";
        case Action::retire_listeners:
            return "retire listeners";
        case Action::move_connections:
            return "move connections";
        case Action::store_connections:
            return "store connections";
        case Action::drain_promptly:
            return "drain promptly";
        case Action::close_remaining:
            return "close remaining";
        case Action::end:
            return "end";
    }
    __builtin_unreachable();
}

}  // namespace handover::lifecycle
