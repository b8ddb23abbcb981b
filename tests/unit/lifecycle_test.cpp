// SPDX-License-Identifier: MIT
#include "handover/lifecycle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace handover::lifecycle {

// How GoogleTest shows them.
void PrintTo(State state, std::ostream* out) {
    *out << to_string(state);
}
void PrintTo(Action action, std::ostream* out) {
    *out << to_string(action);
}

}  // namespace handover::lifecycle

namespace handover::test {
namespace {

using namespace lifecycle;
using enum Action;
using Actions = std::vector<Action>;

const std::vector<State> states = {State::starting,         State::waiting_for_go,
                                   State::on_probation,     State::claiming,
                                   State::serving,          State::handing_over,
                                   State::promoting_first,  State::watching,
                                   State::watching_drained, State::watching_longer,
                                   State::promoting,        State::promoting_drained,
                                   State::draining,         State::leaving,
                                   State::stopping,         State::ended};
const std::vector<Event> events = {Event::started,
                                   Event::started_by_predecessor,
                                   Event::go,
                                   Event::promoted,
                                   Event::predecessor_lost,
                                   Event::handover_requested,
                                   Event::successor_ready,
                                   Event::old_successor_ready,
                                   Event::successor_failed,
                                   Event::promotion_wanted,
                                   Event::probation_passed,
                                   Event::main_pid_handed,
                                   Event::stop_requested,
                                   Event::interrupted,
                                   Event::restart_requested,
                                   Event::drained,
                                   Event::deadline_passed};

struct Row {
    State state;
    Event event;
    State next;
    Actions actions;
};

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
    {State::on_probation, Event::handover_requested, State::claiming, {ask_for_promotion}},
    {State::on_probation, Event::stop_requested, State::stopping,
        {pass_stop_to_predecessor, drop_predecessor, retire_listeners, drain_promptly}},
    {State::on_probation, Event::interrupted, State::stopping,
        {pass_stop_to_predecessor, drop_predecessor, retire_listeners, drain_promptly}},
    {State::on_probation, Event::restart_requested, State::leaving,
        {pass_restart_to_predecessor, announce_leaving, stop_accepting, release_listeners, store_connections}},

    // Only the main process hands over.
    {State::claiming, Event::promoted, State::handing_over,
        {store_listeners, announce_ready, announce_reloading, start_successor}},
    {State::claiming, Event::predecessor_lost, State::handing_over,
        {store_listeners, announce_ready, announce_reloading, start_successor}},
    {State::claiming, Event::stop_requested, State::stopping,
        {refuse_handover, pass_stop_to_predecessor, drop_predecessor, retire_listeners,
         drain_promptly}},
    {State::claiming, Event::interrupted, State::stopping,
        {refuse_handover, pass_stop_to_predecessor, drop_predecessor, retire_listeners,
         drain_promptly}},
    {State::claiming, Event::restart_requested, State::leaving,
        {refuse_handover, pass_restart_to_predecessor, announce_leaving, stop_accepting, release_listeners, store_connections}},

    // The main process.
    {State::serving, Event::handover_requested, State::handing_over,
        {announce_reloading, start_successor}},
    {State::serving, Event::stop_requested, State::stopping,
        {announce_stopping, drop_predecessor, retire_listeners, drain_promptly}},
    {State::serving, Event::interrupted, State::stopping,
        {announce_stopping, drop_predecessor, retire_listeners, drain_promptly}},
    {State::serving, Event::restart_requested, State::leaving,
        {announce_leaving, stop_accepting, release_listeners, store_connections}},

    // A successor is starting. From `ready` on it accepts, and is watched.
    {State::handing_over, Event::successor_ready, State::watching,
        {say_go, stop_accepting, report_handover, start_probation, move_connections}},
    {State::handing_over, Event::old_successor_ready, State::promoting_first, {hand_main_pid}},
    {State::handing_over, Event::successor_failed, State::serving,
        {end_successor, report_failed_handover}},
    {State::handing_over, Event::handover_requested, State::handing_over, {refuse_handover}},
    {State::handing_over, Event::stop_requested, State::stopping,
        {end_successor, report_failed_handover, announce_stopping, drop_predecessor,
         retire_listeners, drain_promptly}},
    {State::handing_over, Event::interrupted, State::stopping,
        {end_successor, report_failed_handover, announce_stopping, drop_predecessor,
         retire_listeners, drain_promptly}},
    {State::handing_over, Event::restart_requested, State::leaving,
        {end_successor, report_failed_handover, announce_leaving, stop_accepting,
         release_listeners, store_connections}},

    // One of an older release is main before it accepts. Until go is said, it can be given up.
    {State::promoting_first, Event::main_pid_handed, State::draining,
        {say_go, stop_accepting, release_listeners, fall_silent, report_handover,
         move_connections, release_successor}},
    {State::promoting_first, Event::successor_failed, State::serving,
        {end_successor, report_failed_handover}},
    {State::promoting_first, Event::handover_requested, State::promoting_first, {refuse_handover}},
    {State::promoting_first, Event::stop_requested, State::stopping,
        {end_successor, report_failed_handover, announce_stopping, drop_predecessor,
         retire_listeners, drain_promptly}},
    {State::promoting_first, Event::interrupted, State::stopping,
        {end_successor, report_failed_handover, announce_stopping, drop_predecessor,
         retire_listeners, drain_promptly}},
    {State::promoting_first, Event::restart_requested, State::leaving,
        {end_successor, report_failed_handover, announce_leaving, stop_accepting,
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
    {State::watching, Event::restart_requested, State::leaving,
        {announce_leaving, release_listeners, store_connections, release_successor}},

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
    {State::watching_drained, Event::restart_requested, State::leaving,
        {announce_leaving, release_listeners, store_connections, release_successor}},

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
    {State::watching_longer, Event::restart_requested, State::leaving,
        {announce_leaving, release_listeners, store_connections, release_successor}},

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
    {State::promoting, Event::restart_requested, State::leaving,
        {announce_leaving, release_listeners, store_connections, release_successor}},

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
    {State::promoting_drained, Event::restart_requested, State::leaving,
        {announce_leaving, release_listeners, store_connections, release_successor}},

    // Somebody else is the main process. Whoever asks for our end now is waiting for it.
    {State::draining, Event::handover_requested, State::draining, {refuse_handover}},
    {State::draining, Event::stop_requested, State::draining, {drain_promptly}},
    {State::draining, Event::restart_requested, State::leaving, {store_connections}},
    {State::draining, Event::interrupted, State::stopping, {drain_promptly}},
    {State::draining, Event::drained, State::ended, {end}},
    {State::draining, Event::deadline_passed, State::ended, {close_remaining, end}},

    // systemd sends SIGTERM twice: no row for it here. A second SIGINT ends at once.
    {State::leaving, Event::handover_requested, State::leaving, {refuse_handover}},
    {State::leaving, Event::interrupted, State::ended, {close_remaining, end}},
    {State::leaving, Event::drained, State::ended, {end}},
    {State::leaving, Event::deadline_passed, State::ended, {close_remaining, end}},
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

// ---- invariants over every sequence of events

constexpr std::size_t depth = 10;

struct Path {
    State state = State::starting;
    std::vector<Event> events;
    Actions actions;

    [[nodiscard]] std::string to_string() const {
        std::string text;
        for (const Event event : events) text.append(lifecycle::to_string(event)).append(", ");
        text += "leads to ";
        for (const Action action : actions) text.append(lifecycle::to_string(action)).append(", ");
        return text;
    }
};

/// Depth first, skipping events that change nothing: a shorter sequence covers those.
void extend(Path& path, const std::function<void(const Path&)>& visit) {
    visit(path);
    if (path.events.size() == depth) return;
    for (const Event event : events) {
        const auto [next, actions] = step(path.state, event);
        if (next == path.state && actions.empty()) continue;
        const Path before = path;
        path.state = next;
        path.events.push_back(event);
        path.actions.insert(path.actions.end(), actions.begin(), actions.end());
        extend(path, visit);
        path = before;
    }
}

/// Tells a path on which `holds` is false, once is enough.
void expect_on_every_path(const std::function<bool(const Path&)>& holds) {
    Path path;
    std::size_t visited = 0;
    std::string counterexample;
    extend(path, [&](const Path& here) {
        ++visited;
        if (counterexample.empty() && !holds(here)) counterexample = here.to_string();
    });
    EXPECT_EQ(counterexample, "");
    EXPECT_GT(visited, 1000U) << "there is something to explore";
}

std::size_t count(const Path& path, Action action) {
    return static_cast<std::size_t>(std::count(path.actions.begin(), path.actions.end(), action));
}

/// Where the last of these actions stands, counted from 1; 0 if there is none.
std::size_t last(const Path& path, const std::set<Action>& wanted) {
    for (std::size_t i = path.actions.size(); i > 0; --i)
        if (wanted.count(path.actions[i - 1]) != 0) return i;
    return 0;
}

std::size_t last(const Path& path, Action action) {
    return last(path, std::set<Action>{action});
}

/// A successor has been started, and is neither ended nor on its own yet.
bool has_successor(State state) {
    return state == State::handing_over || state == State::promoting_first ||
           state == State::watching || state == State::watching_drained ||
           state == State::watching_longer || state == State::promoting ||
           state == State::promoting_drained;
}

/// It is not settled yet how the handover ends.
bool owes_an_answer(State state) {
    return state == State::claiming || state == State::handing_over ||
           state == State::promoting_first;
}

const std::set<Action> say_ready_to_manager = {announce_ready, report_failed_handover,
                                               report_handover, report_rollback, hand_main_pid};
const std::set<Action> speak_for_the_service = {
    announce_ready,  announce_reloading, announce_stopping, report_failed_handover,
    report_rollback, hand_main_pid,      store_listeners};

TEST(LifecycleInvariant, what_begins_reloading_says_ready_again) {
    expect_on_every_path([](const Path& path) {
        return path.state == State::handing_over || path.state == State::promoting_first ||
               last(path, announce_reloading) <= last(path, say_ready_to_manager);
    });
}

TEST(LifecycleInvariant, stopping_is_never_announced_while_the_manager_believes_in_a_reload) {
    expect_on_every_path([](const Path& path) {
        bool reloading = false;
        for (const Action action : path.actions) {
            if (action == announce_reloading) reloading = true;
            if (say_ready_to_manager.count(action) != 0) reloading = false;
            if (reloading && (action == announce_stopping || action == announce_leaving))
                return false;
        }
        return true;
    });
}

TEST(LifecycleInvariant, a_generation_whose_successor_is_main_never_speaks_for_the_service) {
    expect_on_every_path([](const Path& path) {
        return count(path, fall_silent) == 0 ||
               last(path, speak_for_the_service) < last(path, fall_silent);
    });
}

TEST(LifecycleInvariant, a_generation_on_probation_never_speaks_for_the_service) {
    for (const State state : {State::on_probation, State::claiming})
        for (const Event event : events) {
            if (event == Event::promoted || event == Event::predecessor_lost) continue;
            for (const Action action : step(state, event).actions)
                EXPECT_EQ(speak_for_the_service.count(action), 0U) << to_string(event);
        }
}

TEST(LifecycleInvariant, ending_is_the_last_thing_and_happens_once) {
    expect_on_every_path([](const Path& path) {
        if (path.state != State::ended) return count(path, end) == 0;
        for (std::size_t i = last(path, end); i < path.actions.size(); ++i)
            if (path.actions[i] != refuse_handover) return false;
        return count(path, end) == 1;
    });
}

TEST(LifecycleInvariant, nobody_drains_while_it_accepts_nor_begins_to_accept_twice) {
    expect_on_every_path([](const Path& path) {
        bool accepting = false;
        for (const Action action : path.actions) {
            if (action == start_accepting && std::exchange(accepting, true)) return false;
            if (action == stop_accepting || action == retire_listeners) accepting = false;
            if (accepting && (action == move_connections || action == store_connections ||
                              action == drain_promptly))
                return false;
        }
        return true;
    });
}

TEST(LifecycleInvariant, somebody_accepts_at_every_moment_until_we_stop) {
    expect_on_every_path([](const Path& path) {
        // Either the queue is served to its end, or it is left to a successor or to the fd store.
        const auto stop = last(path, stop_accepting);
        return stop == 0 || path.actions[stop - 2] == say_go ||
               path.actions[stop - 2] == announce_leaving;
    });
}

TEST(LifecycleInvariant, the_listeners_are_kept_as_long_as_they_could_come_back) {
    expect_on_every_path([](const Path& path) {
        const auto gone = last(path, {release_listeners, retire_listeners});
        return gone == 0 || last(path, start_accepting) < gone;
    });
}

TEST(LifecycleInvariant, every_successor_that_dies_on_probation_is_rolled_back) {
    for (const State state : states) {
        if (!has_successor(state)) continue;
        const auto [next, actions] = step(state, Event::successor_failed);
        EXPECT_EQ(next, State::serving) << to_string(state);
        const bool had_stopped = state != State::handing_over && state != State::promoting_first;
        EXPECT_EQ(std::count(actions.begin(), actions.end(), start_accepting), had_stopped)
            << to_string(state);
    }
}

TEST(LifecycleInvariant, probation_ends_with_both_its_time_and_the_last_request) {
    const auto after = [](std::initializer_list<Event> happened) {
        State state = State::watching;
        for (const Event event : happened) state = step(state, event).next;
        return state;
    };
    using enum Event;
    EXPECT_EQ(after({drained, probation_passed}), State::promoting_drained);
    EXPECT_EQ(after({probation_passed, drained}), State::promoting_drained);
    EXPECT_EQ(after({deadline_passed, probation_passed}), State::promoting_drained);
    EXPECT_EQ(after({probation_passed, deadline_passed}), State::promoting_drained);
    EXPECT_EQ(after({promotion_wanted, drained}), State::promoting_drained);
    EXPECT_EQ(after({promotion_wanted, main_pid_handed}), State::draining);
}

TEST(LifecycleInvariant, every_successor_is_released_or_ended) {
    expect_on_every_path([](const Path& path) {
        return count(path, start_successor) == count(path, end_successor) +
                                                   count(path, release_successor) +
                                                   (has_successor(path.state) ? 1 : 0);
    });
}

TEST(LifecycleInvariant, whoever_asks_for_a_handover_is_answered) {
    expect_on_every_path([](const Path& path) {
        const auto asked = static_cast<std::size_t>(
            std::count(path.events.begin(), path.events.end(), Event::handover_requested));
        return asked == count(path, refuse_handover) + count(path, report_failed_handover) +
                            count(path, report_handover) + count(path, pass_handover_on) +
                            (owes_an_answer(path.state) ? 1 : 0);
    });
}

TEST(LifecycleInvariant, a_generation_counts_itself_once_and_before_it_speaks) {
    expect_on_every_path([](const Path& path) {
        if (count(path, take_over) > 1) return false;
        return path.actions.empty() || count(path, take_over) == 0 ||
               path.actions[0] == take_over ||
               std::all_of(
                   path.actions.begin(),
                   std::find(path.actions.begin(), path.actions.end(), take_over),
                   [](Action action) { return action == say_ready || action == refuse_handover; });
    });
}

TEST(LifecycleInvariant, a_generation_that_never_served_never_speaks_to_the_manager) {
    expect_on_every_path([](const Path& path) {
        return count(path, take_over) == 1 ||
               (last(path, speak_for_the_service) == 0 && count(path, retire_listeners) == 0);
    });
}

TEST(LifecycleInvariant, every_draining_state_ends_when_drained_and_at_the_deadline) {
    for (const State state : {State::draining, State::leaving, State::stopping})
        for (const Event event : {Event::drained, Event::deadline_passed}) {
            EXPECT_EQ(step(state, event).next, State::ended) << to_string(state);
            EXPECT_EQ(step(state, event).actions.back(), end) << to_string(state);
        }
}

TEST(LifecycleInvariant, only_states_that_drain_end_with_a_deadline) {
    for (const State state :
         {State::starting, State::waiting_for_go, State::on_probation, State::claiming,
          State::serving, State::handing_over, State::promoting_first, State::ended}) {
        EXPECT_EQ(step(state, Event::deadline_passed).next, state);
        EXPECT_EQ(step(state, Event::drained).next, state);
    }
}

TEST(LifecycleInvariant, nothing_happens_after_the_end_but_a_refusal) {
    for (const Event event : events) {
        const auto [next, actions] = step(State::ended, event);
        EXPECT_EQ(next, State::ended);
        EXPECT_EQ(actions,
                  event == Event::handover_requested ? Actions{refuse_handover} : Actions{});
    }
}

TEST(LifecycleInvariant, sigterm_twice_is_like_sigterm_once) {
    for (const State state : states) {
        const auto once = step(state, Event::stop_requested);
        const auto twice = step(once.next, Event::stop_requested);
        EXPECT_EQ(twice.next, once.next) << to_string(state);
        EXPECT_TRUE(twice.actions.empty() || twice.actions == Actions{drain_promptly})
            << to_string(state);
    }
}

}  // namespace
}  // namespace handover::test
