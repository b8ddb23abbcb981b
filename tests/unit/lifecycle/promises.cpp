// SPDX-License-Identifier: MIT
// What the facts are to be: in a state, and after an event.
#include "unit/lifecycle/facts.h"

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <optional>

namespace handover::test {
namespace {

using namespace lifecycle;
using Predecessor = Facts::Predecessor;
using Successor = Facts::Successor;
using Connections = Facts::Connections;
using Probation = Facts::Probation;

bool is_one_of(State state, std::initializer_list<State> some) {
    return std::find(some.begin(), some.end(), state) != some.end();
}

/// After `go`, and before the successor is the main process.
bool is_after_go(State state) {
    return is_one_of(state, {State::watching, State::watching_drained, State::watching_longer,
                             State::promoting, State::promoting_drained});
}

bool is_over(State state) {
    return is_one_of(state, {State::restarting, State::stopping, State::ended});
}

// ---- what a generation is in a state

/// Nothing stands for: the one or the other, as it was before.
struct Meaning {
    State state;
    bool accepts;
    bool holds_listeners;
    std::optional<bool> speaks;  ///< for the service, to the manager
    Successor successor;
    std::optional<bool> hands_main_pid;
    std::optional<Connections> connections;
};

constexpr std::nullopt_t either = std::nullopt;

// clang-format off
constexpr Meaning meanings[] = {
    //                          accepts  holds  speaks  successor           hands   connections
    {State::starting,            false,  true,  false,  Successor::none,    false,  Connections::stay},
    {State::waiting_for_go,      false,  true,  false,  Successor::none,    false,  Connections::stay},
    {State::on_probation,        true,   true,  false,  Successor::none,    false,  Connections::stay},
    {State::awaiting_promotion,  true,   true,  false,  Successor::none,    false,  Connections::stay},
    {State::serving,             true,   true,  true,   Successor::none,    false,  Connections::stay},
    {State::handing_over,        true,   true,  true,   Successor::starts,  false,  Connections::stay},
    {State::promoting_before_go, true,   true,  true,   Successor::starts,  true,   Connections::stay},
    {State::watching,            false,  true,  true,   Successor::accepts, false,  Connections::move},
    {State::watching_drained,    false,  true,  true,   Successor::accepts, false,  Connections::move},
    {State::watching_longer,     false,  true,  true,   Successor::accepts, false,  Connections::move},
    {State::promoting,           false,  true,  true,   Successor::accepts, true,   Connections::move},
    {State::promoting_drained,   false,  true,  true,   Successor::accepts, true,   Connections::move},
    {State::draining,            false,  false, false,  Successor::none,    true,   either},
    {State::restarting,          false,  false, either, Successor::none,    either, Connections::go_to_store},
    {State::stopping,            false,  false, either, Successor::none,    either, Connections::close},
};
// clang-format on

template <typename Value>
bool agrees(const std::optional<Value>& meant, Value is) {
    return !meant || *meant == is;
}

bool is_meant(const Facts& facts, State state) {
    const auto* meaning =
        std::find_if(std::begin(meanings), std::end(meanings),
                     [&](const Meaning& candidate) { return candidate.state == state; });
    if (meaning == std::end(meanings)) return state == State::ended;
    return meaning->accepts == facts.accepts && meaning->holds_listeners == facts.holds_listeners &&
           agrees(meaning->speaks, facts.speaks()) && meaning->successor == facts.successor &&
           agrees(meaning->hands_main_pid, facts.hands_main_pid) &&
           agrees(meaning->connections, facts.connections);
}

struct Rule {
    std::string_view text;
    bool (*holds)(const Facts& facts, State state);
};

constexpr Rule rules[] = {
    {"it is what its state says", is_meant},
    {"whoever has accepted has a number, and the log knows",
     [](const Facts& f, State state) {
         const bool began = !is_one_of(state, {State::starting, State::waiting_for_go});
         return state == State::ended || (f.numbered == began && f.told_log == began);
     }},
    {"the main process has its listeners in the fd store",
     [](const Facts& f, State) { return f.stored_listeners == f.main; }},
    {"who began without a predecessor has taken what waited in the fd store",
     [](const Facts& f, State) {
         return f.adopted_stored == (f.numbered && f.predecessor == Predecessor::none);
     }},
    {"a predecessor that is waited for knows that we are ready",
     [](const Facts& f, State state) {
         return f.said_ready == (f.predecessor == Predecessor::waits) ||
                state != State::waiting_for_go;
     }},
    {"who waits to be promoted has asked for it",
     [](const Facts& f, State state) {
         return f.asked_for_promotion || state != State::awaiting_promotion;
     }},
    {"the manager waits for READY=1 as long as it is not decided who accepts",
     [](const Facts& f, State state) {
         return f.reloading == is_one_of(state, {State::handing_over, State::promoting_before_go});
     }},
    {"whoever asks for a handover is answered, or there is an answer to come",
     [](const Facts& f, State state) {
         return f.request_waits == (state == State::awaiting_promotion) &&
                f.request_is_tried == f.reloading && !f.owes_rollback;
     }},
    {"what is still to be waited for tells the watching states apart",
     [](const Facts& f, State state) {
         if (!is_after_go(state)) return true;
         const bool nothing_left =
             is_one_of(state, {State::watching_drained, State::promoting_drained});
         const bool runs = is_one_of(state, {State::watching, State::watching_drained});
         return f.drained == nothing_left && (f.probation == Probation::runs) == runs &&
                f.probation != Probation::none;
     }},
    {"the main process tells the manager of the end, one on probation its predecessor",
     [](const Facts& f, State state) {
         if (!is_one_of(state, {State::stopping, State::restarting})) return true;
         if (f.silent) return !f.announced_end && !f.passed_to_predecessor;
         if (f.main) return f.announced_end && !f.passed_to_predecessor;
         return f.passed_to_predecessor && f.announced_end == (state == State::restarting);
     }},
    {"who stops has read all that its predecessor has sent",
     [](const Facts& f, State state) {
         return state != State::stopping || f.silent || !f.can_receive();
     }},
    {"only at the end is nothing left to be waited for",
     [](const Facts& f, State state) {
         if (is_one_of(state, {State::draining, State::restarting, State::stopping}))
             return !f.drained && !f.has_ended;
         return f.has_ended == (state == State::ended);
     }},
    {"whoever ends has no listeners any more, or has never served",
     [](const Facts& f, State state) {
         return state != State::ended || !f.numbered || !f.holds_listeners;
     }},
};

// ---- what an event leads to

struct Outcome {
    Event event;
    std::string_view text;
    bool (*is_met)(const Facts& facts, State state);
};

constexpr Outcome outcomes[] = {
    {Event::started, "whoever is alone serves",
     [](const Facts&, State state) { return state == State::serving; }},
    {Event::started_by_predecessor, "the predecessor knows that we are ready",
     [](const Facts& f, State) { return f.said_ready; }},
    {Event::go, "it accepts", [](const Facts& f, State) { return f.accepts; }},
    {Event::promoted, "it is the main process, unless it is to end",
     [](const Facts& f, State state) { return f.main || is_over(state); }},
    {Event::predecessor_lost, "it accepts and is the main process, unless it is to end",
     [](const Facts& f, State state) { return (f.main && f.accepts) || is_over(state); }},
    {Event::successor_ready, "the successor accepts, on probation",
     [](const Facts& f, State state) {
         return f.successor == Successor::accepts && state == State::watching;
     }},
    {Event::old_successor_ready, "the successor becomes the main process before it accepts",
     [](const Facts& f, State) { return f.hands_main_pid && f.accepts; }},
    {Event::successor_failed, "it serves, as before",
     [](const Facts&, State state) { return state == State::serving; }},
    {Event::promotion_wanted, "the successor becomes the main process",
     [](const Facts& f, State) { return f.hands_main_pid; }},
    {Event::probation_passed, "nothing but the last request is waited for",
     [](const Facts& f, State) { return f.hands_main_pid == f.drained; }},
    {Event::main_pid_handed, "the successor is on its own",
     [](const Facts& f, State) { return f.silent && f.successor == Successor::none; }},
    {Event::drained, "nothing but the successor is waited for",
     [](const Facts& f, State) {
         return f.has_ended || (f.drained && f.successor == Successor::accepts);
     }},
    {Event::deadline_passed, "nothing but the successor is waited for",
     [](const Facts& f, State) {
         return f.has_ended || (f.drained && f.successor == Successor::accepts);
     }},
};

const Outcome* outcome(Event event) {
    const auto* found =
        std::find_if(std::begin(outcomes), std::end(outcomes),
                     [&](const Outcome& candidate) { return candidate.event == event; });
    return found == std::end(outcomes) ? nullptr : found;
}

}  // namespace

std::string_view unmet(Event event, const Facts& facts, State state) {
    const auto* wanted = outcome(event);
    return wanted == nullptr || wanted->is_met(facts, state) ? "" : wanted->text;
}

std::string_view disagreement(const Facts& facts, State state) {
    for (const auto& rule : rules)
        if (!rule.holds(facts, state)) return rule.text;
    return {};
}

}  // namespace handover::test
