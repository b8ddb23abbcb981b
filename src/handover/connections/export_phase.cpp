// SPDX-License-Identifier: MIT
#include "handover/connections/export_phase.h"

#include "handover/base/enum_set.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <iterator>
#include <optional>

namespace handover::export_phase {
namespace {

using enum Phase;
using enum Event;
using enum Action;

using Phases = EnumSet<Phase>;
using Events = EnumSet<Event>;
static_assert(phase_count <= 32 && event_count <= 32, "a bit each");

constexpr Phases operator|(Phase left, Phase right) {
    return Phases(left) | right;
}
constexpr Events operator|(Event left, Event right) {
    return Events(left) | right;
}

/// What a row asks of the fact that the connections may still be recalled.
enum class Recall { either, possible, over };
using enum Recall;

class Actions {
  public:
    constexpr Actions(std::initializer_list<Action> actions) : size_(actions.size()) {
        std::copy(actions.begin(), actions.end(), actions_.begin());
    }
    [[nodiscard]] constexpr std::span<const Action> all() const { return {actions_.data(), size_}; }

  private:
    std::array<Action, 5> actions_{};  // a row with more does not compile
    std::size_t size_;
};

struct Row {
    Phases phases;
    Events events;
    Recall recall;
    std::optional<Phase> next;  ///< none: it stays
    Actions actions;

    [[nodiscard]] constexpr bool is_for(Phase phase, Event event, bool may_be_recalled) const {
        return phases.contains(phase) && events.contains(event) &&
               (recall == either || (recall == possible) == may_be_recalled);
    }
};

constexpr std::optional<Phase> stays;

constexpr Phases all_but_done = idle | moving | moving_until_stored | finishing_move |
                                awaiting_store | storing | awaiting_channel | finishing_store |
                                awaiting_recall | closing;

// Wherever connections come back to the services, these are told twice. Before: so that nothing is
// given to the old sender any more. After: they may have drained without what came back.

// clang-format off
constexpr Row table[] = {
    // In which phase, what happens, may be recalled?, the next phase, what is done for it, in this
    // order. An action that may raise an event is the last one.

    // ---- told where to: after the end it begins anew
    {idle | awaiting_recall | closing, move_to, either, moving, {begin_moving, give, use_channel}},
    {awaiting_store, move_to, either, moving_until_stored, {begin_moving, give, use_channel}},
    {done, move_to, either, moving, {drop_sender, begin_moving, give, use_channel}},

    // Whoever is not closed yet is served until there is somewhere to go.
    {idle | awaiting_recall, store, either, awaiting_store, {ask_store}},
    {closing, store, either, awaiting_store, {serve_on, ask_store}},
    {done, store, either, awaiting_store, {drop_sender, serve_on, ask_store}},
    // What a successor has not read may come back, and needs the store then.
    {moving, store | store_nothing, either, moving_until_stored, {ask_store}},
    {finishing_move, store | store_nothing, either, moving_until_stored,
        {withdraw_account, ask_store}},
    {idle | closing, store_nothing, either, closing, {close}},
    {done, store_nothing, possible, awaiting_recall, {drop_sender, serve_on}},
    {done, store_nothing, over, closing, {drop_sender, close}},

    // What can move goes on moving.
    {idle | awaiting_recall | closing, drain, either, closing, {close}},
    {done, drain, either, closing, {drop_sender, close}},
    {awaiting_recall, settle, either, closing, {close}},

    // ---- told that the successor does not take them
    {all_but_done | done, recall, either, idle, {return_unread, return_unsent}},
    {moving | finishing_move | done, keep, possible, awaiting_recall,
        {serve_on, warn_unsent, return_unsent, return_unread, serve_on}},
    {moving | finishing_move | done, keep, over, closing,
        {close, warn_unsent, return_unsent, return_unread, close}},
    {moving_until_stored, keep, either, awaiting_store,
        {serve_on, warn_unsent, return_unsent, return_unread, serve_on}},
    {awaiting_store | awaiting_recall, keep, either, stays, {return_unread, serve_on}},
    {storing | awaiting_channel, keep, either, stays, {return_unread, give}},
    {finishing_store, keep, either, storing, {withdraw_account, return_unread, give}},
    {closing, keep, either, stays, {return_unread, close}},
    {idle, keep, either, stays, {return_unread}},

    // ---- told that the deadline has passed
    {all_but_done, cut, either, done, {cut_unsent, send_account_now}},
    {done, cut, either, stays, {cut_unsent}},

    // ---- the store
    {awaiting_store, channel_opened, either, storing, {begin_storing, give, use_channel}},
    {moving_until_stored, channel_opened, either, storing,
        {begin_storing, give, pass_unsent_on, use_channel}},
    {awaiting_channel, channel_opened, either, storing, {use_channel}},
    {awaiting_store, channel_refused, possible, awaiting_recall, {warn_not_stored, serve_on}},
    {awaiting_store, channel_refused, over, closing, {warn_not_stored, close}},
    {moving_until_stored, channel_refused, either, moving, {warn_not_stored}},
    {awaiting_channel, channel_refused, possible, awaiting_recall,
        {serve_on, warn_unsent, return_unsent, serve_on}},
    {awaiting_channel, channel_refused, over, closing, {close, warn_unsent, return_unsent, close}},

    // ---- the sender
    {storing, channel_full, either, awaiting_channel, {ask_store}},
    {finishing_store, channel_full, either, awaiting_channel, {withdraw_account, ask_store}},
    {moving | finishing_move | storing | finishing_store | done, failed, possible, awaiting_recall,
        {serve_on, warn_unsent, return_unsent, serve_on}},
    {moving | finishing_move | storing | finishing_store | done, failed, over, closing,
        {close, warn_unsent, return_unsent, close}},
    {moving_until_stored, failed, either, awaiting_store,
        {serve_on, warn_unsent, return_unsent, serve_on}},
    {finishing_move | finishing_store, all_sent, either, done, {report_done}},

    // ---- the end
    {moving | moving_until_stored | storing | awaiting_channel, late_imports, either, stays, {give}},
    {finishing_move, late_imports, either, moving, {withdraw_account, give}},
    {finishing_store, late_imports, either, storing, {withdraw_account, give}},
    {closing, late_imports, either, stays, {close}},
    {moving, nothing_left, either, finishing_move, {send_account}},
    {storing, nothing_left, either, finishing_store, {send_account}},
    {closing, nothing_left, either, done, {report_done}},
};
// clang-format on

// ---- what the compiler can say about the table

constexpr std::size_t rows_for(Phase phase, Event event, bool may_be_recalled) {
    return static_cast<std::size_t>(
        std::count_if(std::begin(table), std::end(table),
                      [&](const Row& row) { return row.is_for(phase, event, may_be_recalled); }));
}

template <typename Predicate>
constexpr bool any_row(Predicate predicate) {
    return std::any_of(std::begin(table), std::end(table), predicate);
}

template <typename Enum, typename Predicate>
constexpr bool each_of_first(std::size_t count, Predicate predicate) {
    for (std::size_t i = 0; i < count; ++i)
        if (!predicate(static_cast<Enum>(i))) return false;
    return true;
}

static_assert(each_of_first<Phase>(phase_count,
                                   [](Phase phase) {
                                       return each_of_first<Event>(
                                           event_count, [phase](Event event) {
                                               return rows_for(phase, event, false) <= 1 &&
                                                      rows_for(phase, event, true) <= 1;
                                           });
                                   }),
              "two rows for one event in one phase");
static_assert(each_of_first<Phase>(phase_count,
                                   [](Phase phase) {
                                       return any_row(
                                           [phase](const Row& row) { return row.next == phase; });
                                   }),
              "no row leads to a phase");
static_assert(each_of_first<Event>(event_count,
                                   [](Event event) {
                                       return any_row([event](const Row& row) {
                                           return row.events.contains(event);
                                       });
                                   }),
              "no row is for an event");
static_assert(each_of_first<Action>(action_count,
                                    [](Action action) {
                                        return any_row([action](const Row& row) {
                                            const auto all = row.actions.all();
                                            return std::find(all.begin(), all.end(), action) !=
                                                   all.end();
                                        });
                                    }),
              "no row does an action");

// ---- names

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

constexpr Name<Phase> phase_names[] = {
    {idle, "idle"},
    {moving, "moving"},
    {moving_until_stored, "moving until stored"},
    {finishing_move, "finishing move"},
    {awaiting_store, "awaiting store"},
    {storing, "storing"},
    {awaiting_channel, "awaiting channel"},
    {finishing_store, "finishing store"},
    {awaiting_recall, "awaiting recall"},
    {closing, "closing"},
    {done, "done"},
};
static_assert(are_complete(phase_names, phase_count));

constexpr Name<Event> event_names[] = {
    {move_to, "move to"},
    {store, "store"},
    {store_nothing, "store nothing"},
    {drain, "drain"},
    {settle, "settle"},
    {recall, "recall"},
    {keep, "keep"},
    {cut, "cut"},
    {channel_opened, "channel opened"},
    {channel_refused, "channel refused"},
    {channel_full, "channel full"},
    {failed, "failed"},
    {all_sent, "all sent"},
    {late_imports, "late imports"},
    {nothing_left, "nothing left"},
};
static_assert(are_complete(event_names, event_count));

constexpr Name<Action> action_names[] = {
    {begin_moving, "begin moving"},
    {begin_storing, "begin storing"},
    {give, "give"},
    {close, "close"},
    {serve_on, "serve on"},
    {use_channel, "use channel"},
    {pass_unsent_on, "pass unsent on"},
    {drop_sender, "drop sender"},
    {warn_unsent, "warn unsent"},
    {return_unsent, "return unsent"},
    {return_unread, "return unread"},
    {ask_store, "ask store"},
    {warn_not_stored, "warn not stored"},
    {send_account, "send account"},
    {withdraw_account, "withdraw account"},
    {send_account_now, "send account now"},
    {cut_unsent, "cut unsent"},
    {report_done, "report done"},
};
static_assert(are_complete(action_names, action_count));

}  // namespace

Transition step(Phase phase, Event event, bool may_be_recalled) {
    const auto* row = std::find_if(std::begin(table), std::end(table), [&](const Row& one) {
        return one.is_for(phase, event, may_be_recalled);
    });
    if (row == std::end(table)) return {phase, {}};
    return {row->next.value_or(phase), row->actions.all()};
}

std::string_view to_string(Phase phase) {
    return phase_names[static_cast<std::size_t>(phase)].text;
}

std::string_view to_string(Event event) {
    return event_names[static_cast<std::size_t>(event)].text;
}

std::string_view to_string(Action action) {
    return action_names[static_cast<std::size_t>(action)].text;
}

}  // namespace handover::export_phase
