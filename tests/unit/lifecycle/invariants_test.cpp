// SPDX-License-Identifier: MIT
// What holds after every sequence of events.
#include "unit/lifecycle/lists.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace handover::test {
namespace {

using namespace lifecycle;
using enum Action;
using Actions = std::vector<Action>;

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
    return state == State::handing_over || state == State::promoting_before_go ||
           state == State::watching || state == State::watching_drained ||
           state == State::watching_longer || state == State::promoting ||
           state == State::promoting_drained;
}

/// It is not settled yet how the handover ends.
bool owes_an_answer(State state) {
    return state == State::awaiting_promotion || state == State::handing_over ||
           state == State::promoting_before_go;
}

const std::set<Action> say_ready_to_manager = {announce_ready, report_failed_handover,
                                               report_handover, report_rollback, hand_main_pid};
const std::set<Action> speak_for_the_service = {
    announce_ready,  announce_reloading, announce_stopping, report_failed_handover,
    report_rollback, hand_main_pid,      store_listeners};

TEST(LifecycleInvariant, what_begins_reloading_says_ready_again) {
    expect_on_every_path([](const Path& path) {
        return path.state == State::handing_over || path.state == State::promoting_before_go ||
               last(path, announce_reloading) <= last(path, say_ready_to_manager);
    });
}

TEST(LifecycleInvariant, stopping_is_never_announced_while_the_manager_believes_in_a_reload) {
    expect_on_every_path([](const Path& path) {
        bool reloading = false;
        for (const Action action : path.actions) {
            if (action == announce_reloading) reloading = true;
            if (say_ready_to_manager.count(action) != 0) reloading = false;
            if (reloading && (action == announce_stopping || action == announce_restarting))
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
    for (const State state : {State::on_probation, State::awaiting_promotion})
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
               path.actions[stop - 2] == announce_restarting;
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
        const bool had_stopped =
            state != State::handing_over && state != State::promoting_before_go;
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
    for (const State state : {State::draining, State::restarting, State::stopping})
        for (const Event event : {Event::drained, Event::deadline_passed}) {
            EXPECT_EQ(step(state, event).next, State::ended) << to_string(state);
            EXPECT_EQ(step(state, event).actions.back(), end) << to_string(state);
        }
}

TEST(LifecycleInvariant, only_states_that_drain_end_with_a_deadline) {
    for (const State state :
         {State::starting, State::waiting_for_go, State::on_probation, State::awaiting_promotion,
          State::serving, State::handing_over, State::promoting_before_go, State::ended}) {
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
