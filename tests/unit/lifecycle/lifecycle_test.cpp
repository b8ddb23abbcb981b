// SPDX-License-Identifier: MIT
// What the table means: every sequence of events is followed, with what has become of the
// generation, until it leads to nothing new.
#include "unit/lifecycle/facts.h"
#include "unit/lifecycle/lists.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <compare>
#include <deque>
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace handover::test {
namespace {

using namespace lifecycle;
using enum Action;
using Actions = std::vector<Action>;

struct Place {
    State state = State::starting;
    Facts facts;

    // clang-tidy takes the 0 of a comparison for a pointer.
    // NOLINTNEXTLINE(modernize-use-nullptr)
    auto operator<=>(const Place&) const = default;
};

/// Breadth first, so what leads to a place is as short as it can be.
class TableExploration {
  public:
    TableExploration() {
        way_to_[{}] = "";
        open_.push_back({});
        while (!open_.empty()) {
            const Place here = open_.front();
            open_.pop_front();
            for (const Event event : all_events)
                if (here.facts.can_happen(here.state, event)) follow(here, event);
        }
    }

    /// All places there are, with the events that lead there.
    [[nodiscard]] const std::map<Place, std::string>& way_to() const { return way_to_; }
    /// An action that did not find what it needs; empty if there is none.
    [[nodiscard]] const std::string& broken_need() const { return broken_need_; }
    /// An event that did not lead to what it is to lead to; empty if there is none.
    [[nodiscard]] const std::string& unmet_outcome() const { return unmet_; }

  private:
    void follow(const Place& here, Event event) {
        const std::string way = way_to_[here] + std::string(lifecycle::to_string(event)) + ", ";
        const auto [next, actions] = step(here.state, event);
        Place there{next, here.facts};
        there.facts.happens(event);
        for (const Action action : actions) {
            const auto needed = missing(there.facts, action);
            if (!needed.empty() && broken_need_.empty())
                broken_need_ = way + std::string(lifecycle::to_string(action)) +
                               " without: " + std::string(needed);
            there.facts.is_done(action);
        }
        const auto wanted = unmet(event, there.facts, next);
        if (!wanted.empty() && unmet_.empty()) unmet_ = way + "but not: " + std::string(wanted);
        if (way_to_.emplace(there, way).second) open_.push_back(there);
    }

    std::map<Place, std::string> way_to_;
    std::deque<Place> open_;
    std::string broken_need_;
    std::string unmet_;
};

const TableExploration& exploration() {
    static const TableExploration once;
    return once;
}

TEST(Lifecycle, every_action_finds_what_it_needs) {
    EXPECT_EQ(exploration().broken_need(), "");
}

TEST(Lifecycle, every_event_leads_to_what_it_is_for) {
    EXPECT_EQ(exploration().unmet_outcome(), "");
}

TEST(Lifecycle, a_generation_is_what_its_state_says_whatever_happened_before) {
    std::set<State> seen;
    for (const auto& [place, way] : exploration().way_to()) {
        seen.insert(place.state);
        ASSERT_EQ(disagreement(place.facts, place.state), "")
            << way << "so it is " << to_string(place.state);
    }
    EXPECT_EQ(seen.size(), state_count) << "each is explored";
}

TEST(Lifecycle, what_cannot_happen_changes_nothing) {
    for (const auto& [place, way] : exploration().way_to())
        for (const Event event : all_events) {
            if (place.facts.can_happen(place.state, event)) continue;
            ASSERT_EQ(step(place.state, event).next, place.state)
                << way << where(place.state, event);
            ASSERT_EQ(actions_of(place.state, event), Actions{})
                << way << where(place.state, event);
        }
}

TEST(Lifecycle, a_stop_or_a_restart_ends_every_state_at_the_deadline_at_the_latest) {
    for (const State state : all_states)
        for (const Event asked :
             {Event::stop_requested, Event::interrupted, Event::restart_requested})
            for (const Event last : {Event::drained, Event::deadline_passed})
                EXPECT_EQ(step(step(state, asked).next, last).next, State::ended)
                    << where(state, asked);
}

TEST(Lifecycle, sigint_twice_ends_every_state_at_once) {
    for (const State state : all_states)
        EXPECT_EQ(step(step(state, Event::interrupted).next, Event::interrupted).next, State::ended)
            << to_string(state);
}

TEST(Lifecycle, who_serves_stops_by_sigterm_as_by_sigint_and_leaves_no_connection_a_long_grace) {
    for (const State state : all_states) {
        if (!is_ready(state)) continue;
        EXPECT_EQ(std::ranges::count(actions_of(state, Event::stop_requested), drain_promptly), 1)
            << to_string(state);
        if (state == State::draining) {  // SIGTERM is for the service, and it is not main any more
            EXPECT_EQ(step(state, Event::stop_requested).next, State::draining);
            continue;
        }
        EXPECT_EQ(step(state, Event::stop_requested).next, State::stopping) << to_string(state);
        EXPECT_EQ(step(state, Event::interrupted).next, State::stopping) << to_string(state);
        EXPECT_EQ(actions_of(state, Event::stop_requested), actions_of(state, Event::interrupted))
            << to_string(state);
    }
}

TEST(Lifecycle, who_does_not_serve_yet_ends_when_asked_to_stop_or_restart) {
    for (const State state : {State::starting, State::waiting_for_go})
        for (const Event asked :
             {Event::stop_requested, Event::interrupted, Event::restart_requested}) {
            EXPECT_EQ(step(state, asked).next, State::ended) << where(state, asked);
            EXPECT_EQ(actions_of(state, asked), Actions{end}) << where(state, asked);
        }
}

TEST(Lifecycle, a_restart_stores_the_connections_of_whoever_serves_or_drains) {
    for (const State state : all_states) {
        if (!is_ready(state)) continue;
        EXPECT_EQ(step(state, Event::restart_requested).next, State::restarting)
            << to_string(state);
        EXPECT_EQ(
            std::ranges::count(actions_of(state, Event::restart_requested), store_connections), 1)
            << to_string(state);
    }
}

TEST(Lifecycle, a_request_for_a_handover_changes_only_whoever_serves_alone) {
    for (const State state : all_states) {
        const State next = step(state, Event::handover_requested).next;
        if (state == State::serving)
            EXPECT_EQ(next, State::handing_over);
        else if (state == State::on_probation)
            EXPECT_EQ(next, State::awaiting_promotion);
        else
            EXPECT_EQ(next, state);
    }
}

TEST(Lifecycle, somebody_accepts_whether_the_predecessor_says_go_or_dies) {
    for (const Event event : {Event::go, Event::predecessor_lost})
        EXPECT_EQ(std::ranges::count(actions_of(State::waiting_for_go, event), start_accepting), 1)
            << to_string(event);
}

TEST(Lifecycle, probation_ends_with_both_its_time_and_the_last_request) {
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

TEST(Lifecycle, sigterm_twice_is_like_sigterm_once) {
    for (const State state : all_states) {
        const State once = step(state, Event::stop_requested).next;
        EXPECT_EQ(step(once, Event::stop_requested).next, once) << to_string(state);
        const auto actions = actions_of(once, Event::stop_requested);
        EXPECT_TRUE(actions.empty() || actions == Actions{drain_promptly}) << to_string(state);
    }
}

TEST(Lifecycle, is_ready_from_the_first_accept_to_the_stop_and_all_through_a_reload) {
    const std::set<State> not_ready{State::starting, State::waiting_for_go, State::restarting,
                                    State::stopping, State::ended};
    for (const State state : all_states)
        EXPECT_EQ(is_ready(state), not_ready.count(state) == 0) << to_string(state);
}

template <typename All>
std::set<std::string_view> words_for(const All& all) {
    std::set<std::string_view> words;
    for (const auto one : all) words.insert(to_string(one));
    return words;
}

TEST(Lifecycle, has_a_word_of_its_own_for_everything) {
    EXPECT_EQ(words_for(all_states).size(), state_count);
    EXPECT_EQ(words_for(all_events).size(), event_count);
    EXPECT_EQ(words_for(all_actions).size(), action_count);
}

}  // namespace
}  // namespace handover::test
