// SPDX-License-Identifier: MIT
#include "handover/generation/lifecycle.h"

#include <utility>

namespace handover::lifecycle {
namespace {

using enum Action;
using Actions = std::vector<Action>;

Transition stay(State state) {
    return {state, {}};
}

Transition before(Actions first, Transition transition) {
    transition.actions.insert(transition.actions.begin(), first.begin(), first.end());
    return transition;
}

Transition stop_serving() {
    return {State::stopping,
            {announce_stopping, drop_predecessor, retire_listeners, drain_promptly}};
}

Transition restart_serving() {
    return {State::restarting,
            {announce_restarting, stop_accepting, release_listeners, store_connections}};
}

/// READY=1 has to follow RELOADING=1, also when the handover ends in a stop.
Transition abandon_successor(Transition transition) {
    return before({end_successor, report_failed_handover}, std::move(transition));
}

/// Only the main process speaks for the service.
Transition stop_on_probation() {
    return {State::stopping,
            {pass_stop_to_predecessor, drop_predecessor, retire_listeners, drain_promptly}};
}

Transition restart_on_probation() {
    return before({pass_restart_to_predecessor}, restart_serving());
}

Transition in_starting(Event event) {
    switch (event) {
        case Event::started:
            return {State::serving,
                    {take_over, store_listeners, start_accepting, adopt_stored_connections,
                     announce_ready, report_serving}};
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
            return {State::on_probation, {take_over, start_accepting, report_serving}};
        case Event::predecessor_lost:
            return {State::serving,
                    {take_over, start_accepting, report_serving, store_listeners, announce_ready}};
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

Transition in_on_probation(Event event) {
    switch (event) {
        case Event::promoted:
        case Event::predecessor_lost:
            return {State::serving, {store_listeners, announce_ready}};
        case Event::handover_requested:
            return {State::awaiting_promotion, {ask_for_promotion}};
        case Event::stop_requested:
        case Event::interrupted:
            return stop_on_probation();
        case Event::restart_requested:
            return restart_on_probation();
        default:
            return stay(State::on_probation);
    }
}

Transition in_awaiting_promotion(Event event) {
    switch (event) {
        case Event::promoted:
        case Event::predecessor_lost:
            return {State::handing_over,
                    {store_listeners, announce_ready, announce_reloading, start_successor}};
        case Event::handover_requested:
            return {State::awaiting_promotion, {}};  // they share the answer
        case Event::stop_requested:
        case Event::interrupted:
            return before({refuse_handover}, stop_on_probation());
        case Event::restart_requested:
            return before({refuse_handover}, restart_on_probation());
        default:
            return stay(State::awaiting_promotion);
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
            return restart_serving();
        default:
            return stay(State::serving);
    }
}

Transition in_handing_over(Event event) {
    switch (event) {
        case Event::successor_ready:
            return {State::watching,
                    {say_go, stop_accepting, report_handover, start_probation, move_connections}};
        case Event::old_successor_ready:
            return {State::promoting_before_go, {hand_main_pid}};
        case Event::successor_failed:
            return {State::serving, {end_successor, report_failed_handover}};
        case Event::handover_requested:
            return {State::handing_over, {refuse_handover}};
        case Event::stop_requested:
        case Event::interrupted:
            return abandon_successor(stop_serving());
        case Event::restart_requested:
            return abandon_successor(restart_serving());
        default:
            return stay(State::handing_over);
    }
}

Transition in_promoting_before_go(Event event) {
    switch (event) {
        case Event::main_pid_handed:
            return {State::draining,
                    {say_go, stop_accepting, release_listeners, fall_silent, report_handover,
                     move_connections, release_successor}};
        case Event::successor_ready:
        case Event::old_successor_ready:
            return stay(State::promoting_before_go);
        default: {
            // As long as `go` has not been said, the successor can still be given up.
            auto transition = in_handing_over(event);
            if (transition.next == State::handing_over)
                transition.next = State::promoting_before_go;
            return transition;
        }
    }
}

// ---- after `go`, as long as the listeners could come back

/// What may happen at any time of it.
Transition while_watching(State state, Event event) {
    switch (event) {
        case Event::successor_failed:
            return {State::serving,
                    {end_successor, start_accepting, recall_connections, report_rollback}};
        case Event::handover_requested:
            return {state, {pass_handover_on}};
        case Event::stop_requested:
        case Event::interrupted:
            return {State::stopping,
                    {pass_stop_on, announce_stopping, drop_predecessor, retire_listeners,
                     drain_promptly, release_successor}};
        case Event::restart_requested:
            return {State::restarting,
                    {announce_restarting, release_listeners, store_connections, release_successor}};
        default:
            return stay(state);
    }
}

Transition in_watching(Event event) {
    switch (event) {
        case Event::drained:
            return stay(State::watching_drained);
        case Event::deadline_passed:
            return {State::watching_drained, {close_remaining}};
        case Event::probation_passed:
            return stay(State::watching_longer);
        case Event::promotion_wanted:
            return {State::promoting, {hand_main_pid}};
        default:
            return while_watching(State::watching, event);
    }
}

Transition in_watching_drained(Event event) {
    switch (event) {
        case Event::probation_passed:
        case Event::promotion_wanted:
            return {State::promoting_drained, {hand_main_pid}};
        default:
            return while_watching(State::watching_drained, event);
    }
}

Transition in_watching_longer(Event event) {
    switch (event) {
        case Event::drained:
            return {State::promoting_drained, {hand_main_pid}};
        case Event::deadline_passed:
            return {State::promoting_drained, {close_remaining, hand_main_pid}};
        case Event::promotion_wanted:
            return {State::promoting, {hand_main_pid}};
        default:
            return while_watching(State::watching_longer, event);
    }
}

Transition in_promoting(Event event) {
    switch (event) {
        case Event::main_pid_handed:
            return {State::draining, {release_listeners, fall_silent, release_successor}};
        case Event::drained:
            return stay(State::promoting_drained);
        case Event::deadline_passed:
            return {State::promoting_drained, {close_remaining}};
        default:
            return while_watching(State::promoting, event);
    }
}

Transition in_promoting_drained(Event event) {
    if (event == Event::main_pid_handed)
        return {State::ended, {release_listeners, fall_silent, release_successor, end}};
    return while_watching(State::promoting_drained, event);
}

// ---- the end

/// What ends draining, restarting and stopping alike.
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
            return {State::restarting, {store_connections}};
        case Event::interrupted:
            return {State::stopping, {drain_promptly}};
        default:
            return in_draining_kind(State::draining, event);
    }
}

/// systemd sends SIGTERM twice under KillMode=control-group: it changes nothing here.
Transition in_restarting_or_stopping(State state, Event event) {
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
        case State::on_probation:
            return in_on_probation(event);
        case State::awaiting_promotion:
            return in_awaiting_promotion(event);
        case State::serving:
            return in_serving(event);
        case State::handing_over:
            return in_handing_over(event);
        case State::promoting_before_go:
            return in_promoting_before_go(event);
        case State::watching:
            return in_watching(event);
        case State::watching_drained:
            return in_watching_drained(event);
        case State::watching_longer:
            return in_watching_longer(event);
        case State::promoting:
            return in_promoting(event);
        case State::promoting_drained:
            return in_promoting_drained(event);
        case State::draining:
            return in_draining(event);
        case State::restarting:
        case State::stopping:
            return in_restarting_or_stopping(state, event);
        case State::ended:
            return event == Event::handover_requested ? Transition{State::ended, {refuse_handover}}
                                                      : stay(State::ended);
    }
    __builtin_unreachable();
}

bool is_ready(State state) {
    switch (state) {
        case State::starting:
        case State::waiting_for_go:
        case State::restarting:
        case State::stopping:
        case State::ended:
            return false;
        default:
            return true;
    }
}

std::string_view to_string(State state) {
    switch (state) {
        case State::starting:
            return "starting";
        case State::waiting_for_go:
            return "waiting for go";
        case State::on_probation:
            return "serving on probation";
        case State::awaiting_promotion:
            return "serving on probation, about to hand over";
        case State::serving:
            return "serving";
        case State::handing_over:
            return "handing over";
        case State::promoting_before_go:
            return "promoting its successor before go";
        case State::watching:
            return "watching its successor";
        case State::watching_drained:
            return "drained, watching its successor";
        case State::watching_longer:
            return "draining, watching its successor";
        case State::promoting:
            return "promoting its successor";
        case State::promoting_drained:
            return "drained, promoting its successor";
        case State::draining:
            return "draining";
        case State::restarting:
            return "restarting";
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
        case Event::promoted:
            return "promoted";
        case Event::predecessor_lost:
            return "predecessor lost";
        case Event::handover_requested:
            return "handover requested";
        case Event::successor_ready:
            return "successor ready";
        case Event::old_successor_ready:
            return "old successor ready";
        case Event::successor_failed:
            return "successor failed";
        case Event::promotion_wanted:
            return "promotion wanted";
        case Event::probation_passed:
            return "probation passed";
        case Event::main_pid_handed:
            return "main PID handed";
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
        case Action::report_serving:
            return "report serving";
        case Action::say_ready:
            return "say ready";
        case Action::ask_for_promotion:
            return "ask for promotion";
        case Action::pass_restart_to_predecessor:
            return "pass restart to predecessor";
        case Action::pass_stop_to_predecessor:
            return "pass stop to predecessor";
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
        case Action::pass_handover_on:
            return "pass handover on";
        case Action::pass_stop_on:
            return "pass stop on";
        case Action::say_go:
            return "say go";
        case Action::report_handover:
            return "report handover";
        case Action::start_probation:
            return "start probation";
        case Action::recall_connections:
            return "recall connections";
        case Action::report_rollback:
            return "report rollback";
        case Action::hand_main_pid:
            return "hand main PID";
        case Action::fall_silent:
            return "fall silent";
        case Action::release_successor:
            return "release successor";
        case Action::stop_accepting:
            return "stop accepting";
        case Action::announce_restarting:
            return "announce restarting";
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
