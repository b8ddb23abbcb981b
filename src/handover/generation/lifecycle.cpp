// SPDX-License-Identifier: MIT
#include "handover/generation/lifecycle.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <optional>

namespace handover::lifecycle {
namespace {

using enum State;
using enum Event;
using enum Action;

/// Some of an enum's values, for a row that means several.
template <typename Enum>
class Set {
  public:
    constexpr Set(Enum one) : bits_(1U << static_cast<unsigned>(one)) {}
    friend constexpr Set operator|(Set left, Set right) {
        left.bits_ |= right.bits_;
        return left;
    }
    [[nodiscard]] constexpr bool contains(Enum one) const { return (bits_ & Set(one).bits_) != 0; }

  private:
    std::uint32_t bits_;
};
using States = Set<State>;
using Events = Set<Event>;
static_assert(state_count <= 32 && event_count <= 32, "a bit each");

constexpr States operator|(State left, State right) {
    return States(left) | right;
}
constexpr Events operator|(Event left, Event right) {
    return Events(left) | right;
}

class Actions {
  public:
    constexpr Actions(std::initializer_list<Action> actions) : size_(actions.size()) {
        std::copy(actions.begin(), actions.end(), actions_.begin());
    }
    [[nodiscard]] constexpr std::span<const Action> all() const { return {actions_.data(), size_}; }

  private:
    std::array<Action, 7> actions_{};  // a row with more does not compile
    std::size_t size_;
};

struct Row {
    States states;
    Events events;
    std::optional<State> next;  ///< none: it stays
    Actions actions;

    [[nodiscard]] constexpr bool is_for(State state, Event event) const {
        return states.contains(state) && events.contains(event);
    }
};

constexpr std::optional<State> stays;

/// A successor accepts, and could still fail: the listeners are kept, for they may come back.
constexpr States after_go =
    watching | watching_drained | watching_longer | promoting | promoting_drained;

// clang-format off
constexpr Row table[] = {
    // In which state, what happens, the next state, what is done for it, in this order.

    // ---- not accepting yet
    {starting, started, serving,
        {take_over, store_listeners, start_accepting, adopt_stored_connections, announce_ready,
         report_serving}},
    {starting, started_by_predecessor, waiting_for_go, {say_ready}},
    // Whether the predecessor says go or dies, somebody has to accept.
    {waiting_for_go, go, on_probation, {take_over, start_accepting, report_serving}},
    {waiting_for_go, predecessor_lost, serving,
        {take_over, start_accepting, report_serving, store_listeners, announce_ready}},
    {starting | waiting_for_go, handover_requested, stays, {refuse_handover}},
    {starting | waiting_for_go, stop_requested | interrupted | restart_requested, ended, {end}},

    // ---- on probation: only the main process, which is the predecessor, speaks for the service
    {on_probation, promoted | predecessor_lost, serving, {store_listeners, announce_ready}},
    {on_probation, handover_requested, awaiting_promotion, {ask_for_promotion}},
    {on_probation, stop_requested | interrupted, stopping,
        {pass_stop_to_predecessor, drop_predecessor, retire_listeners, drain_promptly}},
    {on_probation, restart_requested, restarting,
        {pass_restart_to_predecessor, announce_restarting, stop_accepting, release_listeners,
         store_connections}},

    // No row for another request: it shares the answer of the first.
    {awaiting_promotion, promoted | predecessor_lost, handing_over,
        {store_listeners, announce_ready, announce_reloading, start_successor}},
    {awaiting_promotion, stop_requested | interrupted, stopping,
        {refuse_handover, pass_stop_to_predecessor, drop_predecessor, retire_listeners,
         drain_promptly}},
    {awaiting_promotion, restart_requested, restarting,
        {refuse_handover, pass_restart_to_predecessor, announce_restarting, stop_accepting,
         release_listeners, store_connections}},

    // ---- the main process
    {serving, handover_requested, handing_over, {announce_reloading, start_successor}},
    {serving, stop_requested | interrupted, stopping,
        {announce_stopping, drop_predecessor, retire_listeners, drain_promptly}},
    {serving, restart_requested, restarting,
        {announce_restarting, stop_accepting, release_listeners, store_connections}},

    // ---- before `go`, as long as the successor can be given up
    {handing_over, successor_ready, watching,
        {say_go, stop_accepting, report_handover, start_probation, move_connections}},
    {handing_over, old_successor_ready, promoting_before_go, {hand_main_pid}},
    {promoting_before_go, main_pid_handed, draining,
        {say_go, stop_accepting, release_listeners, fall_silent, report_handover, move_connections,
         release_successor}},
    {handing_over | promoting_before_go, successor_failed, serving,
        {end_successor, report_failed_handover}},
    {handing_over | promoting_before_go, handover_requested, stays, {refuse_handover}},
    // READY=1, of the report, has to follow RELOADING=1 also when the handover ends in a stop.
    {handing_over | promoting_before_go, stop_requested | interrupted, stopping,
        {end_successor, report_failed_handover, announce_stopping, drop_predecessor,
         retire_listeners, drain_promptly}},
    {handing_over | promoting_before_go, restart_requested, restarting,
        {end_successor, report_failed_handover, announce_restarting, stop_accepting,
         release_listeners, store_connections}},

    // ---- after `go`: both the last request and the time of the probation have to be waited for
    {watching, drained, watching_drained, {}},
    {watching, deadline_passed, watching_drained, {close_remaining}},
    {watching, probation_passed, watching_longer, {}},
    {watching, promotion_wanted, promoting, {hand_main_pid}},
    {watching_drained, probation_passed | promotion_wanted, promoting_drained, {hand_main_pid}},
    {watching_longer, drained, promoting_drained, {hand_main_pid}},
    {watching_longer, deadline_passed, promoting_drained, {close_remaining, hand_main_pid}},
    {watching_longer, promotion_wanted, promoting, {hand_main_pid}},
    {promoting, drained, promoting_drained, {}},
    {promoting, deadline_passed, promoting_drained, {close_remaining}},
    {promoting, main_pid_handed, draining, {release_listeners, fall_silent, release_successor}},
    {promoting_drained, main_pid_handed, ended,
        {release_listeners, fall_silent, release_successor, end}},
    {after_go, successor_failed, serving,
        {end_successor, start_accepting, recall_connections, report_rollback}},
    {after_go, handover_requested, stays, {pass_handover_on}},
    {after_go, stop_requested | interrupted, stopping,
        {pass_stop_on, announce_stopping, drop_predecessor, retire_listeners, drain_promptly,
         release_successor}},
    {after_go, restart_requested, restarting,
        {announce_restarting, release_listeners, store_connections, release_successor}},

    // ---- the end: whoever asks for it now is waiting for it
    {draining, stop_requested, stays, {drain_promptly}},
    {draining, interrupted, stopping, {drain_promptly}},
    {draining, restart_requested, restarting, {store_connections}},
    // No row for SIGTERM: systemd sends it twice under KillMode=control-group.
    {restarting | stopping, interrupted, ended, {close_remaining, end}},
    {draining | restarting | stopping, drained, ended, {end}},
    {draining | restarting | stopping, deadline_passed, ended, {close_remaining, end}},
    {draining | restarting | stopping | ended, handover_requested, stays, {refuse_handover}},
};
// clang-format on

// ---- what the compiler checks

template <typename Predicate>
constexpr bool any_row(Predicate predicate) {
    return std::any_of(std::begin(table), std::end(table), predicate);
}

constexpr bool has_two_rows(State state, Event event) {
    return std::count_if(std::begin(table), std::end(table),
                         [&](const Row& row) { return row.is_for(state, event); }) > 1;
}

constexpr bool is_reached(State state) {
    return state == starting || any_row([&](const Row& row) { return row.next == state; });
}

constexpr bool is_left(State state) {
    return state == ended ||
           any_row([&](const Row& row) { return row.states.contains(state) && row.next; });
}

constexpr bool means_something(Event event) {
    return any_row([&](const Row& row) { return row.events.contains(event); });
}

constexpr bool is_done(Action action) {
    return any_row([&](const Row& row) {
        const auto actions = row.actions.all();
        return std::find(actions.begin(), actions.end(), action) != actions.end();
    });
}

template <typename Enum, typename Predicate>
constexpr bool each_of_first(std::size_t count, Predicate predicate) {
    for (std::size_t i = 0; i < count; ++i)
        if (!predicate(static_cast<Enum>(i))) return false;
    return true;
}

constexpr bool has_no_two_rows(State state) {
    return each_of_first<Event>(event_count,
                                [&](Event event) { return !has_two_rows(state, event); });
}

static_assert(each_of_first<State>(state_count, has_no_two_rows),
              "two rows for one event in one state");
static_assert(each_of_first<State>(state_count, is_reached), "no row leads to a state");
static_assert(each_of_first<State>(state_count, is_left), "no row leads out of a state");
static_assert(each_of_first<Event>(event_count, means_something), "no row is for an event");
static_assert(each_of_first<Action>(action_count, is_done), "no row does an action");

}  // namespace

Transition step(State state, Event event) {
    const auto* row = std::find_if(std::begin(table), std::end(table),
                                   [&](const Row& one) { return one.is_for(state, event); });
    if (row == std::end(table)) return {state, {}};
    return {row->next.value_or(state), row->actions.all()};
}

bool is_ready(State state) {
    constexpr States not_ready = starting | waiting_for_go | restarting | stopping | ended;
    return !not_ready.contains(state);
}

}  // namespace handover::lifecycle
