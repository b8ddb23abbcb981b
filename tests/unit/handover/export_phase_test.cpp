// SPDX-License-Identifier: MIT
// What the table of export_phase.cpp has to mean: tried for all phases and events, and on a small
// model of an export through everything that can follow everything.
#include "handover/connections/export_phase.h"

#include "unit/handover/export_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace handover::export_phase {

inline void PrintTo(Phase phase, std::ostream* out) {
    *out << to_string(phase);
}

}  // namespace handover::export_phase

namespace handover::test {
namespace {

using namespace export_phase;
using enum Phase;
using Actions = std::vector<Action>;

template <typename Enum>
std::vector<Enum> first(std::size_t count) {
    std::vector<Enum> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(static_cast<Enum>(i));
    return all;
}

const auto phases = first<Phase>(phase_count);
const auto events = first<Event>(event_count);

/// One cell of the table: what happens in a phase, and what follows.
struct Step {
    Phase phase;
    Event event;
    bool may_be_recalled;
    Phase next;
    Actions actions;

    [[nodiscard]] bool does(Action action) const { return position(action) < actions.size(); }
    [[nodiscard]] std::size_t position(Action action) const {
        return static_cast<std::size_t>(std::find(actions.begin(), actions.end(), action) -
                                        actions.begin());
    }
    [[nodiscard]] bool changes_something() const { return next != phase || !actions.empty(); }
    [[nodiscard]] std::string name() const {
        std::string text = std::string(to_string(phase)) + ": " + std::string(to_string(event)) +
                           (may_be_recalled ? " (may be recalled)" : "") + " -> " +
                           std::string(to_string(next)) + ":";
        for (const Action action : actions) text.append(" ").append(to_string(action));
        return text;
    }
};

Step step_of(Phase phase, Event event, bool may_be_recalled) {
    const auto [next, actions] = step(phase, event, may_be_recalled);
    return {phase, event, may_be_recalled, next, {actions.begin(), actions.end()}};
}

void for_each_step(const std::function<void(const Step&)>& look) {
    for (const Phase phase : phases)
        for (const Event event : events)
            for (const bool may_be_recalled : {false, true})
                look(step_of(phase, event, may_be_recalled));
}

Phase next(Phase phase, Event event, bool may_be_recalled = false) {
    return step(phase, event, may_be_recalled).next;
}

// ---- every cell of the table

TEST(ExportPhase, a_recall_leads_from_everywhere_to_idle_with_all_that_was_not_read) {
    for (const Phase phase : phases)
        for (const bool may_be_recalled : {false, true}) {
            const auto recalled = step_of(phase, Event::recall, may_be_recalled);
            EXPECT_EQ(recalled.next, idle) << recalled.name();
            EXPECT_EQ(recalled.actions, (Actions{Action::return_unread, Action::return_unsent}))
                << recalled.name();
        }
}

TEST(ExportPhase, the_deadline_leads_from_everywhere_to_done_and_leaves_nothing) {
    for (const Phase phase : phases) {
        const auto cut = step_of(phase, Event::cut, false);
        EXPECT_EQ(cut.next, done) << cut.name();
        EXPECT_TRUE(cut.does(Action::cut_unsent)) << cut.name();
        EXPECT_FALSE(cut.does(Action::report_done)) << "who cuts knows: " << cut.name();
        EXPECT_EQ(cut.does(Action::send_account_now), phase != done) << cut.name();
    }
}

TEST(ExportPhase, nothing_ends_by_itself_as_long_as_something_is_left) {
    for_each_step([](const Step& step) {
        if (step.next == done && step.phase != done && step.event != Event::cut) {
            const bool all_sent = (step.phase == finishing_move || step.phase == finishing_store) &&
                                  step.event == Event::all_sent;
            const bool all_closed = step.phase == closing && step.event == Event::nothing_left;
            EXPECT_TRUE(all_sent || all_closed) << step.name();
            EXPECT_TRUE(step.does(Action::report_done)) << step.name();
        } else {
            EXPECT_FALSE(step.does(Action::report_done)) << step.name();
        }
        EXPECT_TRUE(!step.does(Action::send_account) || step.event == Event::nothing_left)
            << step.name();
    });
}

TEST(ExportPhase, something_is_left_while_others_may_arrive_or_one_is_with_a_service_or_not_sent) {
    for (const bool imports_expected : {false, true})
        for (const bool services_drained : {false, true})
            for (const std::size_t not_sent : {0U, 1U, 2U}) {
                const Left left{imports_expected, services_drained, not_sent};
                EXPECT_EQ(left.nothing(), !imports_expected && services_drained && not_sent == 0);
            }
}

TEST(ExportPhase, no_close_is_announced_before_it_is_sure_that_there_is_nowhere_to_go) {
    for_each_step([](const Step& step) {
        if (!step.does(Action::close)) return;
        EXPECT_EQ(step.next, closing) << step.name();
    });
    for (const Phase served_on : {awaiting_store, awaiting_recall})
        for_each_step([served_on](const Step& step) {
            if (step.next != served_on || step.phase == served_on) return;
            // What has not been told anything yet is served on without being told.
            if (step.phase == idle || step.phase == awaiting_recall) return;
            EXPECT_TRUE(step.does(Action::serve_on)) << step.name();
        });
}

TEST(ExportPhase, each_way_falls_back_to_the_next) {
    for (const Phase to_successor : {moving, finishing_move}) {
        EXPECT_EQ(next(to_successor, Event::store), moving_until_stored);
        EXPECT_EQ(next(to_successor, Event::store_nothing), moving_until_stored)
            << "what it has not read may come back";
        for (const Event event : {Event::failed, Event::keep}) {
            EXPECT_EQ(next(to_successor, event, true), awaiting_recall);
            EXPECT_EQ(next(to_successor, event, false), closing);
        }
    }
    EXPECT_EQ(next(moving_until_stored, Event::failed), awaiting_store);
    EXPECT_EQ(next(moving_until_stored, Event::keep), awaiting_store);
    EXPECT_EQ(next(moving_until_stored, Event::channel_opened), storing);
    EXPECT_EQ(next(moving_until_stored, Event::channel_refused), moving) << "it still takes them";
    EXPECT_EQ(next(awaiting_store, Event::channel_opened), storing);
    EXPECT_EQ(next(awaiting_store, Event::move_to), moving_until_stored);
    EXPECT_EQ(next(awaiting_channel, Event::channel_opened), storing);
    for (const auto& [phase, event] :
         {std::pair(awaiting_store, Event::channel_refused),
          std::pair(awaiting_channel, Event::channel_refused), std::pair(storing, Event::failed),
          std::pair(finishing_store, Event::failed), std::pair(done, Event::failed)}) {
        EXPECT_EQ(next(phase, event, true), awaiting_recall) << to_string(phase);
        EXPECT_EQ(next(phase, event, false), closing) << to_string(phase);
    }
    EXPECT_EQ(next(awaiting_recall, Event::settle), closing);
    EXPECT_EQ(next(awaiting_recall, Event::store), awaiting_store);
    EXPECT_EQ(next(awaiting_recall, Event::move_to), moving);
    EXPECT_EQ(next(closing, Event::store), awaiting_store) << "better late";
    EXPECT_EQ(next(closing, Event::move_to), moving);
}

TEST(ExportPhase, what_is_on_its_way_is_not_stopped_by_the_wish_to_hurry) {
    for (const Phase phase : {moving, moving_until_stored, finishing_move, awaiting_store, storing,
                              awaiting_channel, finishing_store})
        for (const Event event : {Event::drain, Event::settle})
            EXPECT_FALSE(step_of(phase, event, false).changes_something())
                << step_of(phase, event, false).name();
    for (const Phase phase : {idle, awaiting_recall, closing, done})
        EXPECT_EQ(next(phase, Event::drain), closing) << to_string(phase);
}

TEST(ExportPhase, told_again_after_the_end_it_begins_anew_without_the_sender_that_has_ended) {
    for (const auto& [event, may_be_recalled, phase] :
         {std::tuple(Event::move_to, true, moving), std::tuple(Event::store, true, awaiting_store),
          std::tuple(Event::store_nothing, true, awaiting_recall),
          std::tuple(Event::store_nothing, false, closing),
          std::tuple(Event::drain, false, closing)}) {
        const auto again = step_of(done, event, may_be_recalled);
        EXPECT_EQ(again.next, phase) << again.name();
        EXPECT_EQ(again.position(Action::drop_sender), 0U) << again.name();
    }
}

TEST(ExportPhase, asks_the_store_for_nothing_if_there_is_nothing) {
    for_each_step([](const Step& step) {
        const bool has_successor = step.phase == moving || step.phase == finishing_move;
        if (step.event != Event::store_nothing || has_successor) return;
        EXPECT_FALSE(step.does(Action::ask_store)) << step.name();
    });
    for (const Phase phase : {idle, closing})
        EXPECT_EQ(next(phase, Event::store_nothing), closing) << "and is done at once";
}

TEST(ExportPhase, what_was_not_sent_is_asked_for_when_nobody_gives_any_more_and_drained_again) {
    for_each_step([](const Step& step) {
        if (!step.does(Action::return_unsent) || step.event == Event::recall) return;
        ASSERT_GE(step.actions.size(), 3U) << step.name();
        EXPECT_EQ(step.actions.front(), step.actions.back()) << step.name();
        EXPECT_EQ(step.actions.front(), step.next == closing ? Action::close : Action::serve_on)
            << step.name();
        EXPECT_LT(step.position(Action::warn_unsent), step.position(Action::return_unsent))
            << step.name();
    });
}

TEST(ExportPhase, what_a_stopping_successor_has_not_read_always_goes_where_the_others_go) {
    for (const Phase phase : phases)
        for (const bool may_be_recalled : {false, true}) {
            const auto kept = step_of(phase, Event::keep, may_be_recalled);
            ASSERT_TRUE(kept.does(Action::return_unread)) << kept.name();
            if (phase == idle) continue;
            const auto last = kept.actions.back();
            EXPECT_TRUE(last == Action::give || last == Action::close || last == Action::serve_on)
                << kept.name();
            EXPECT_NE(last, Action::return_unread) << kept.name();
        }
}

TEST(ExportPhase, an_action_that_may_raise_an_event_is_the_last_of_its_row) {
    for_each_step([](const Step& step) {
        for (const Action action :
             {Action::use_channel, Action::ask_store, Action::send_account, Action::report_done})
            EXPECT_TRUE(!step.does(action) || step.position(action) == step.actions.size() - 1)
                << step.name();
    });
}

TEST(ExportPhase, late_imports_go_where_the_others_go) {
    for (const Phase phase :
         {moving, moving_until_stored, storing, awaiting_channel, finishing_move, finishing_store})
        EXPECT_TRUE(step_of(phase, Event::late_imports, false).does(Action::give))
            << to_string(phase);
    EXPECT_TRUE(step_of(closing, Event::late_imports, false).does(Action::close));
}

// ---- everything that can follow everything

struct Reached {
    ExportModel model;
    std::string path;
};

/// Breadth first, so that a counterexample is as short as there is one.
void explore(
    const std::function<void(const ExportModel& from, Event event, const ExportModel& to)>& look,
    std::string& counterexample, std::set<ExportModel>& seen) {
    std::deque<Reached> open{{ExportModel{}, ""}};
    seen.insert(ExportModel{});
    while (!open.empty()) {
        const Reached here = std::move(open.front());
        open.pop_front();
        for (const Event event : events) {
            if (!here.model.can_happen(event)) continue;
            ExportModel to = here.model;
            auto path = here.path;
            path.append(to_string(event)).append(", ");
            if (const auto wrong = to.handle(event); !wrong.empty()) {
                counterexample =
                    path.append("leads to ").append(to_string(to.phase)) + ": " + wrong;
                return;
            }
            look(here.model, event, to);
            if (seen.insert(to).second) open.push_back({to, path});
        }
    }
}

class ExportPhaseModel : public testing::Test {
  protected:
    void SetUp() override {
        explore([this](const ExportModel& from, Event event,
                       const ExportModel& to) { followers_[from].emplace_back(event, to); },
                counterexample_, seen_);
        ASSERT_EQ(counterexample_, "");
    }

    std::string counterexample_;
    std::set<ExportModel> seen_;
    std::map<ExportModel, std::vector<std::pair<Event, ExportModel>>> followers_;
};

TEST_F(ExportPhaseModel,
       whatever_follows_what_each_phase_is_what_it_says_and_no_promise_is_broken) {
    std::set<Phase> reached;
    for (const auto& model : seen_) reached.insert(model.phase);
    EXPECT_EQ(reached.size(), phase_count) << "there is something to explore";
}

TEST_F(ExportPhaseModel, a_row_that_cannot_be_reached_is_not_in_the_table) {
    std::set<std::pair<Phase, Event>> used;
    for (const auto& [from, steps] : followers_)
        for (const auto& [event, to] : steps) used.emplace(from.phase, event);
    for_each_step([&](const Step& step) {
        if (!step.changes_something()) return;
        EXPECT_EQ(used.count({step.phase, step.event}), 1U) << step.name();
    });
}

/// Without being told anything more, as long as the store answers and the senders send or fail.
TEST_F(ExportPhaseModel, everything_that_has_begun_comes_to_its_end) {
    const std::set<Event> by_itself = {Event::channel_opened, Event::channel_refused, Event::failed,
                                       Event::all_sent, Event::nothing_left};
    std::set<ExportModel> ends;
    for (bool grown = true; grown;) {
        grown = false;
        for (const auto& [from, steps] : followers_) {
            if (ends.count(from) == 1) continue;
            const bool is_end = from.phase == done || from.phase == idle ||
                                from.phase == awaiting_recall;  // somebody will say how it ends
            const bool leads = std::any_of(steps.begin(), steps.end(), [&](const auto& step) {
                return by_itself.count(step.first) == 1 && ends.count(step.second) == 1;
            });
            if (is_end || leads) grown = ends.insert(from).second || grown;
        }
    }
    for (const auto& model : seen_) EXPECT_EQ(ends.count(model), 1U) << to_string(model.phase);
}

}  // namespace
}  // namespace handover::test
