// SPDX-License-Identifier: MIT
#include "unit/lifecycle/lists.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace handover::test {
namespace {

using namespace lifecycle;
using enum Action;
using Actions = std::vector<Action>;

struct Row {
    State state;
    Event event;
    State next;
    Actions actions;
};

TEST(Lifecycle, is_ready_from_the_first_accept_to_the_stop_and_all_through_a_reload) {
    const std::set<State> not_ready{State::starting, State::waiting_for_go, State::restarting,
                                    State::stopping, State::ended};
    for (const State state : states)
        EXPECT_EQ(is_ready(state), not_ready.count(state) == 0) << to_string(state);
}

// ---- the table: whatever is not in it changes nothing

// clang-format off
const std::vector<Row> table = {
    // A fresh start, or the start of a successor.
    {State::starting, Event::started, State::serving,
        {take_over, store_listeners, start_accepting, adopt_stored_connections, announce_ready,
         report_serving}},
    {State::starting, Event::started_by_predecessor, State::waiting_for_go, {say_ready}},
    {State::starting, Event::handover_requested, State::starting, {refuse_handover}},
    {State::starting, Event::stop_requested, State::ended, {end}},
    {State::starting, Event::interrupted, State::ended, {end}},
    {State::starting, Event::restart_requested, State::ended, {end}},

    // Ready; whether the predecessor says go or dies, somebody has to accept.
    {State::waiting_for_go, Event::go, State::on_probation,
        {take_over, start_accepting, report_serving}},
    {State::waiting_for_go, Event::predecessor_lost, State::serving,
        {take_over, start_accepting, report_serving, store_listeners, announce_ready}},
    {State::waiting_for_go, Event::handover_requested, State::waiting_for_go, {refuse_handover}},
    {State::waiting_for_go, Event::stop_requested, State::ended, {end}},
    {State::waiting_for_go, Event::interrupted, State::ended, {end}},
    {State::waiting_for_go, Event::restart_requested, State::ended, {end}},

    // Accepting, and watched. A stop means the service, so the predecessor must not come back.
    {State::on_probation, Event::promoted, State::serving, {store_listeners, announce_ready}},
    {State::on_probation, Event::predecessor_lost, State::serving,
        {store_listeners, announce_ready}},
    {State::on_probation, Event::handover_requested, State::awaiting_promotion, {ask_for_promotion}},
    {State::on_probation, Event::stop_requested, State::stopping,
        {pass_stop_to_predecessor, drop_predecessor, retire_listeners, drain_promptly}},
    {State::on_probation, Event::interrupted, State::stopping,
        {pass_stop_to_predecessor, drop_predecessor, retire_listeners, drain_promptly}},
    {State::on_probation, Event::restart_requested, State::restarting,
        {pass_restart_to_predecessor, announce_restarting, stop_accepting, release_listeners, store_connections}},

    // Only the main process hands over.
    {State::awaiting_promotion, Event::promoted, State::handing_over,
        {store_listeners, announce_ready, announce_reloading, start_successor}},
    {State::awaiting_promotion, Event::predecessor_lost, State::handing_over,
        {store_listeners, announce_ready, announce_reloading, start_successor}},
    {State::awaiting_promotion, Event::stop_requested, State::stopping,
        {refuse_handover, pass_stop_to_predecessor, drop_predecessor, retire_listeners,
         drain_promptly}},
    {State::awaiting_promotion, Event::interrupted, State::stopping,
        {refuse_handover, pass_stop_to_predecessor, drop_predecessor, retire_listeners,
         drain_promptly}},
    {State::awaiting_promotion, Event::restart_requested, State::restarting,
        {refuse_handover, pass_restart_to_predecessor, announce_restarting, stop_accepting, release_listeners, store_connections}},

    // The main process.
    {State::serving, Event::handover_requested, State::handing_over,
        {announce_reloading, start_successor}},
    {State::serving, Event::stop_requested, State::stopping,
        {announce_stopping, drop_predecessor, retire_listeners, drain_promptly}},
    {State::serving, Event::interrupted, State::stopping,
        {announce_stopping, drop_predecessor, retire_listeners, drain_promptly}},
    {State::serving, Event::restart_requested, State::restarting,
        {announce_restarting, stop_accepting, release_listeners, store_connections}},

    // A successor is starting. From `ready` on it accepts, and is watched.
    {State::handing_over, Event::successor_ready, State::watching,
        {say_go, stop_accepting, report_handover, start_probation, move_connections}},
    {State::handing_over, Event::old_successor_ready, State::promoting_before_go, {hand_main_pid}},
    {State::handing_over, Event::successor_failed, State::serving,
        {end_successor, report_failed_handover}},
    {State::handing_over, Event::handover_requested, State::handing_over, {refuse_handover}},
    {State::handing_over, Event::stop_requested, State::stopping,
        {end_successor, report_failed_handover, announce_stopping, drop_predecessor,
         retire_listeners, drain_promptly}},
    {State::handing_over, Event::interrupted, State::stopping,
        {end_successor, report_failed_handover, announce_stopping, drop_predecessor,
         retire_listeners, drain_promptly}},
    {State::handing_over, Event::restart_requested, State::restarting,
        {end_successor, report_failed_handover, announce_restarting, stop_accepting,
         release_listeners, store_connections}},

    // One of an older release is main before it accepts. Until go is said, it can be given up.
    {State::promoting_before_go, Event::main_pid_handed, State::draining,
        {say_go, stop_accepting, release_listeners, fall_silent, report_handover,
         move_connections, release_successor}},
    {State::promoting_before_go, Event::successor_failed, State::serving,
        {end_successor, report_failed_handover}},
    {State::promoting_before_go, Event::handover_requested, State::promoting_before_go, {refuse_handover}},
    {State::promoting_before_go, Event::stop_requested, State::stopping,
        {end_successor, report_failed_handover, announce_stopping, drop_predecessor,
         retire_listeners, drain_promptly}},
    {State::promoting_before_go, Event::interrupted, State::stopping,
        {end_successor, report_failed_handover, announce_stopping, drop_predecessor,
         retire_listeners, drain_promptly}},
    {State::promoting_before_go, Event::restart_requested, State::restarting,
        {end_successor, report_failed_handover, announce_restarting, stop_accepting,
         release_listeners, store_connections}},

    // Watching it: both the last request and the time have to be waited for.
    {State::watching, Event::drained, State::watching_drained, {}},
    {State::watching, Event::deadline_passed, State::watching_drained, {close_remaining}},
    {State::watching, Event::probation_passed, State::watching_longer, {}},
    {State::watching, Event::promotion_wanted, State::promoting, {hand_main_pid}},
    {State::watching, Event::successor_failed, State::serving,
        {end_successor, start_accepting, recall_connections, report_rollback}},
    {State::watching, Event::handover_requested, State::watching, {pass_handover_on}},
    {State::watching, Event::stop_requested, State::stopping,
        {pass_stop_on, announce_stopping, drop_predecessor, retire_listeners, drain_promptly,
         release_successor}},
    {State::watching, Event::interrupted, State::stopping,
        {pass_stop_on, announce_stopping, drop_predecessor, retire_listeners, drain_promptly,
         release_successor}},
    {State::watching, Event::restart_requested, State::restarting,
        {announce_restarting, release_listeners, store_connections, release_successor}},

    // The last request is answered.
    {State::watching_drained, Event::probation_passed, State::promoting_drained, {hand_main_pid}},
    {State::watching_drained, Event::promotion_wanted, State::promoting_drained, {hand_main_pid}},
    {State::watching_drained, Event::successor_failed, State::serving,
        {end_successor, start_accepting, recall_connections, report_rollback}},
    {State::watching_drained, Event::handover_requested, State::watching_drained,
        {pass_handover_on}},
    {State::watching_drained, Event::stop_requested, State::stopping,
        {pass_stop_on, announce_stopping, drop_predecessor, retire_listeners, drain_promptly,
         release_successor}},
    {State::watching_drained, Event::interrupted, State::stopping,
        {pass_stop_on, announce_stopping, drop_predecessor, retire_listeners, drain_promptly,
         release_successor}},
    {State::watching_drained, Event::restart_requested, State::restarting,
        {announce_restarting, release_listeners, store_connections, release_successor}},

    // The time is over.
    {State::watching_longer, Event::drained, State::promoting_drained, {hand_main_pid}},
    {State::watching_longer, Event::deadline_passed, State::promoting_drained,
        {close_remaining, hand_main_pid}},
    {State::watching_longer, Event::promotion_wanted, State::promoting, {hand_main_pid}},
    {State::watching_longer, Event::successor_failed, State::serving,
        {end_successor, start_accepting, recall_connections, report_rollback}},
    {State::watching_longer, Event::handover_requested, State::watching_longer, {pass_handover_on}},
    {State::watching_longer, Event::stop_requested, State::stopping,
        {pass_stop_on, announce_stopping, drop_predecessor, retire_listeners, drain_promptly,
         release_successor}},
    {State::watching_longer, Event::interrupted, State::stopping,
        {pass_stop_on, announce_stopping, drop_predecessor, retire_listeners, drain_promptly,
         release_successor}},
    {State::watching_longer, Event::restart_requested, State::restarting,
        {announce_restarting, release_listeners, store_connections, release_successor}},

    // It becomes the main process, at its own wish, before the last request is answered.
    {State::promoting, Event::main_pid_handed, State::draining,
        {release_listeners, fall_silent, release_successor}},
    {State::promoting, Event::drained, State::promoting_drained, {}},
    {State::promoting, Event::deadline_passed, State::promoting_drained, {close_remaining}},
    {State::promoting, Event::successor_failed, State::serving,
        {end_successor, start_accepting, recall_connections, report_rollback}},
    {State::promoting, Event::handover_requested, State::promoting, {pass_handover_on}},
    {State::promoting, Event::stop_requested, State::stopping,
        {pass_stop_on, announce_stopping, drop_predecessor, retire_listeners, drain_promptly,
         release_successor}},
    {State::promoting, Event::interrupted, State::stopping,
        {pass_stop_on, announce_stopping, drop_predecessor, retire_listeners, drain_promptly,
         release_successor}},
    {State::promoting, Event::restart_requested, State::restarting,
        {announce_restarting, release_listeners, store_connections, release_successor}},

    // It becomes the main process, and there is nothing left to do for us.
    {State::promoting_drained, Event::main_pid_handed, State::ended,
        {release_listeners, fall_silent, release_successor, end}},
    {State::promoting_drained, Event::successor_failed, State::serving,
        {end_successor, start_accepting, recall_connections, report_rollback}},
    {State::promoting_drained, Event::handover_requested, State::promoting_drained,
        {pass_handover_on}},
    {State::promoting_drained, Event::stop_requested, State::stopping,
        {pass_stop_on, announce_stopping, drop_predecessor, retire_listeners, drain_promptly,
         release_successor}},
    {State::promoting_drained, Event::interrupted, State::stopping,
        {pass_stop_on, announce_stopping, drop_predecessor, retire_listeners, drain_promptly,
         release_successor}},
    {State::promoting_drained, Event::restart_requested, State::restarting,
        {announce_restarting, release_listeners, store_connections, release_successor}},

    // Somebody else is the main process. Whoever asks for our end now is waiting for it.
    {State::draining, Event::handover_requested, State::draining, {refuse_handover}},
    {State::draining, Event::stop_requested, State::draining, {drain_promptly}},
    {State::draining, Event::restart_requested, State::restarting, {store_connections}},
    {State::draining, Event::interrupted, State::stopping, {drain_promptly}},
    {State::draining, Event::drained, State::ended, {end}},
    {State::draining, Event::deadline_passed, State::ended, {close_remaining, end}},

    // systemd sends SIGTERM twice: no row for it here. A second SIGINT ends at once.
    {State::restarting, Event::handover_requested, State::restarting, {refuse_handover}},
    {State::restarting, Event::interrupted, State::ended, {close_remaining, end}},
    {State::restarting, Event::drained, State::ended, {end}},
    {State::restarting, Event::deadline_passed, State::ended, {close_remaining, end}},
    {State::stopping, Event::handover_requested, State::stopping, {refuse_handover}},
    {State::stopping, Event::interrupted, State::ended, {close_remaining, end}},
    {State::stopping, Event::drained, State::ended, {end}},
    {State::stopping, Event::deadline_passed, State::ended, {close_remaining, end}},
    {State::ended, Event::handover_requested, State::ended, {refuse_handover}},
};
// clang-format on

Transition expected(State state, Event event) {
    const auto row = std::find_if(table.begin(), table.end(), [&](const Row& candidate) {
        return candidate.state == state && candidate.event == event;
    });
    return row == table.end() ? Transition{state, {}} : Transition{row->next, row->actions};
}

TEST(Lifecycle, follows_its_table_for_every_event_in_every_state) {
    for (const State state : states)
        for (const Event event : events) {
            SCOPED_TRACE(std::string(to_string(state)) + " + " + std::string(to_string(event)));
            const auto transition = step(state, event);
            const auto [next, actions] = expected(state, event);
            EXPECT_EQ(transition.next, next);
            EXPECT_EQ(transition.actions, actions);
        }
}

TEST(Lifecycle, has_a_word_of_its_own_for_everything) {
    std::set<std::string_view> words;
    for (const State state : states) words.insert(to_string(state));
    EXPECT_EQ(words.size(), states.size());
    words.clear();
    for (const Event event : events) words.insert(to_string(event));
    EXPECT_EQ(words.size(), events.size());
    words.clear();
    for (int action = 0; action <= static_cast<int>(Action::end); ++action)
        words.insert(to_string(static_cast<Action>(action)));
    EXPECT_EQ(words.size(), static_cast<std::size_t>(Action::end) + 1);
    EXPECT_EQ(words.count(""), 0U);
}

}  // namespace
}  // namespace handover::test
