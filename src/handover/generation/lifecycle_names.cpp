// SPDX-License-Identifier: MIT
#include "handover/generation/lifecycle.h"

#include <cstddef>

namespace handover::lifecycle {
namespace {

using enum State;
using enum Event;
using enum Action;

template <typename Enum>
struct Name {
    Enum value;
    std::string_view text;
};

/// Does every value have a name, and stand where to_string() looks for it?
template <typename Enum, std::size_t size>
constexpr bool are_complete(const Name<Enum> (&names)[size], std::size_t count) {
    for (std::size_t i = 0; i < size; ++i)
        if (static_cast<std::size_t>(names[i].value) != i || names[i].text.empty()) return false;
    return size == count;
}

/// Operators know these words, and scripts and alerts look for them: they stay.
constexpr Name<State> state_names[] = {
    {starting, "starting"},
    {waiting_for_go, "waiting for go"},
    {on_probation, "serving on probation"},
    {awaiting_promotion, "serving on probation, about to hand over"},
    {serving, "serving"},
    {handing_over, "handing over"},
    {promoting_before_go, "promoting its successor before go"},
    {watching, "watching its successor"},
    {watching_drained, "drained, watching its successor"},
    {watching_longer, "draining, watching its successor"},
    {promoting, "promoting its successor"},
    {promoting_drained, "drained, promoting its successor"},
    {draining, "draining"},
    // What operators have always seen, in /readyz and as `state` in JSON: a generation leaves for
    // a restart.
    {restarting, "leaving"},
    {stopping, "stopping"},
    {ended, "ended"},
};
static_assert(are_complete(state_names, state_count));

constexpr Name<Event> event_names[] = {
    {started, "started"},
    {started_by_predecessor, "started by predecessor"},
    {go, "go"},
    {promoted, "promoted"},
    {predecessor_lost, "predecessor lost"},
    {handover_requested, "handover requested"},
    {successor_ready, "successor ready"},
    {old_successor_ready, "old successor ready"},
    {successor_failed, "successor failed"},
    {promotion_wanted, "promotion wanted"},
    {probation_passed, "probation passed"},
    {main_pid_handed, "main PID handed"},
    {stop_requested, "stop requested"},
    {interrupted, "interrupted"},
    {restart_requested, "restart requested"},
    {drained, "drained"},
    {deadline_passed, "deadline passed"},
};
static_assert(are_complete(event_names, event_count));

constexpr Name<Action> action_names[] = {
    {take_over, "take over"},
    {store_listeners, "store listeners"},
    {start_accepting, "start accepting"},
    {adopt_stored_connections, "adopt stored connections"},
    {announce_ready, "announce ready"},
    {report_serving, "report serving"},
    {say_ready, "say ready"},
    {ask_for_promotion, "ask for promotion"},
    {pass_stop_to_predecessor, "pass stop to predecessor"},
    {pass_restart_to_predecessor, "pass restart to predecessor"},
    {announce_reloading, "announce reloading"},
    {start_successor, "start successor"},
    {end_successor, "end successor"},
    {report_failed_handover, "report failed handover"},
    {refuse_handover, "refuse handover"},
    {pass_handover_on, "pass handover on"},
    {pass_stop_on, "pass stop on"},
    {say_go, "say go"},
    {report_handover, "report handover"},
    {start_probation, "start probation"},
    {recall_connections, "recall connections"},
    {report_rollback, "report rollback"},
    {hand_main_pid, "hand main PID"},
    {fall_silent, "fall silent"},
    {release_successor, "release successor"},
    {stop_accepting, "stop accepting"},
    {announce_restarting, "announce restarting"},
    {announce_stopping, "announce stopping"},
    {drop_predecessor, "drop predecessor"},
    {release_listeners, "release listeners"},
    {retire_listeners, "retire listeners"},
    {move_connections, "move connections"},
    {store_connections, "store connections"},
    {drain_promptly, "drain promptly"},
    {close_remaining, "close remaining"},
    {end, "end"},
};
static_assert(are_complete(action_names, action_count));

}  // namespace

std::string_view to_string(State state) {
    return state_names[static_cast<std::size_t>(state)].text;
}

std::string_view to_string(Event event) {
    return event_names[static_cast<std::size_t>(event)].text;
}

std::string_view to_string(Action action) {
    return action_names[static_cast<std::size_t>(action)].text;
}

}  // namespace handover::lifecycle
