// SPDX-License-Identifier: MIT
#include "unit/lifecycle/model_actor.h"

#include "unit/lifecycle/lists.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace handover::test::model {
namespace {

/// step() is a pure function: every answer is asked for once.
const lifecycle::Transition& transition(State state, Event event) {
    static const auto table = [] {
        std::vector<lifecycle::Transition> all;
        for (const State from : lifecycle::all_states)
            for (const Event what : lifecycle::all_events)
                all.push_back(lifecycle::step(from, what));
        return all;
    }();
    return table[static_cast<std::size_t>(state) * lifecycle::event_count +
                 static_cast<std::size_t>(event)];
}

/// Was it asked of the service, by asking this generation?
bool is_asked_for_the_service(State state) {
    return state != State::starting && state != State::waiting_for_go && state != State::draining &&
           state != State::restarting && state != State::stopping && state != State::ended;
}

}  // namespace

void Actor::handle(Event event) {
    if (!events_.push(event)) return blunder(Blunder::no_room);
    if (std::exchange(handling_, true)) return;
    while (!events_.empty()) {
        const auto& [next, actions] = transition(me_.state(), events_.pop());
        me_.state_number = static_cast<std::uint8_t>(next);
        for (const Action action : actions) perform(action);
    }
    handling_ = false;
}

// ---- what arises

void Actor::take_signal(Signal signal) {
    while (read_predecessor()) continue;
    read_all_of_successor();
    const bool service = is_asked_for_the_service(me_.state());
    switch (signal) {
        case Signal::handover:
            me_.newcomers = true;
            return handle(Event::handover_requested);
        case Signal::restart:
            world_.stores_alone |= world_.manager.job != Manager::Job::restart;
            world_.leave_asked |= service && world_.manager.job != Manager::Job::restart;
            return handle(Event::restart_requested);
        case Signal::stop:
            (me_.orphaned ? world_.leave_asked : world_.stop_asked) |=
                service && (!me_.orphaned || world_.manager.job == Manager::Job::none);
            world_.stores_alone |= me_.orphaned;
            return handle(me_.orphaned ? Event::restart_requested : Event::stop_requested);
        case Signal::interrupt:
            world_.stop_asked |= service;
            return handle(Event::interrupted);
    }
}

bool Actor::read_predecessor() {
    if (me_.link != Link::waiting && me_.link != Link::going) return false;
    if (me_.down.empty() && !me_.far_end_closed) return false;
    if (me_.down.empty())
        on_link_gone();
    else
        on_word_of_predecessor(me_.down.pop());
    return true;
}

void Actor::on_word_of_predecessor(Word word) {
    if (me_.link == Link::waiting) {
        if (word == Word::go) on_go();
        return;
    }
    if (word == Word::promoted) {
        on_promoted();
    } else if (word == Word::end) {
        me_.all_arrived = true;
        me_.expects_imports = false;
    } else {
        me_.connections |= connection_in(word);
    }
    if (me_.all_arrived && me_.promoted) on_link_gone();
}

/// One that knows nothing of probation, on either side, means by it that the successor is main.
void Actor::on_go() {
    me_.link = Link::going;
    me_.expects_imports = true;
    handle(Event::go);
    if (me_.without_probation) on_promoted();
}

void Actor::on_promoted() {
    if (!std::exchange(me_.promoted, true)) handle(Event::promoted);
}

void Actor::on_link_gone() {
    const bool lost = me_.link == Link::waiting || !me_.promoted;
    me_.link = Link::gone;
    me_.expects_imports = false;
    if (lost) on_predecessor_lost();
}

void Actor::on_predecessor_lost() {
    me_.orphaned = world_.manager.present;
    me_.silent = true;
    if (me_.orphaned && world_.manager.main == index_) world_.orphan_was_main = true;
    handle(Event::predecessor_lost);
}

void Actor::read_successor() {
    switch (at(me_.attempt).up.pop()) {
        case Word::ready:
            if (me_.verdict != Verdict::none) return;
            me_.verdict = Verdict::ready;
            me_.ready_timer = false;
            return handle(at(me_.attempt).without_probation ? Event::old_successor_ready
                                                            : Event::successor_ready);
        case Word::failed:
            return give_up_attempt();
        case Word::promote_me:
            return handle(Event::promotion_wanted);
        case Word::restarting:
            return handle(Event::restart_requested);
        case Word::stopping:
            world_.stop_asked |= is_asked_for_the_service(me_.state());
            return handle(Event::stop_requested);
        default:
            return;
    }
}

/// Its last words come first.
void Actor::see_successor_end() {
    read_all_of_successor();
    if (me_.attempt != nobody) give_up_attempt();
}

void Actor::read_all_of_successor() {
    while (me_.attempt != nobody && !at(me_.attempt).up.empty()) read_successor();
}

void Actor::give_up_attempt() {
    if (me_.verdict == Verdict::failed) return;
    me_.verdict = Verdict::failed;
    me_.ready_timer = false;
    handle(Event::successor_failed);
}

void Actor::conclude_barrier() {
    me_.barrier = Barrier::none;
    if (me_.attempt == nobody) return blunder(Blunder::no_attempt);
    read_all_of_successor();
    if (me_.attempt == nobody || !at(me_.attempt).runs()) return;  // which is seen next
    if (me_.state() == State::promoting_before_go) return handle(Event::main_pid_handed);
    (void)say_to(me_.attempt, Word::promoted);
    handle(Event::main_pid_handed);
}

// ---- connections on their way

void Actor::move(int connection) {
    const auto one = static_cast<Connections>(1U << static_cast<unsigned>(connection));
    if (me_.way == Way::to_store) {
        world_.manager.stored |= one;
    } else if (!say_to(me_.target,
                       connection == 0 ? Word::first_connection : Word::second_connection)) {
        me_.way = Way::nowhere;  // it comes back, and is closed politely
        me_.target = nobody;
        return;
    }
    me_.connections = static_cast<Connections>(me_.connections & ~one);
}

void Actor::be_drained() {
    if (me_.way == Way::to_successor && !say_to(me_.target, Word::end)) {
        me_.way = Way::nowhere;
        me_.target = nobody;
    }
    me_.drained = true;
    handle(Event::drained);
}

// ---- messages

void Actor::notify(Notice::Kind kind, Index subject) {
    const bool harmless = kind == Notice::Kind::store_listener ||
                          kind == Notice::Kind::store_channel || kind == Notice::Kind::barrier ||
                          kind == Notice::Kind::store_barrier;
    if (!world_.manager.present || (me_.silent && !harmless)) return;
    if (kind == Notice::Kind::reloading) world_.reloading_said = true;
    if (kind == Notice::Kind::ready || kind == Notice::Kind::main_pid)
        world_.reloading_said = false;
    if (!world_.manager.notices.push({kind, index_, subject})) blunder(Blunder::no_room);
}

/// Every barrier has a pipe of its own: one that was cancelled is no answer to the next.
void Actor::cancel_barrier() {
    me_.barrier = Barrier::none;
    for (auto& notice : world_.manager.notices.items)
        if (notice.kind == Notice::Kind::barrier && notice.sender == index_)
            notice.kind = Notice::Kind::nothing;
}

void Actor::say_to_predecessor(Word word) {
    if (me_.link != Link::waiting && me_.link != Link::going) return;
    if (me_.predecessor == nobody || at(me_.predecessor).attempt != index_) return;
    if (!me_.up.push(word)) blunder(Blunder::no_room);
}

bool Actor::can_send_to(Index successor) const {
    if (successor == nobody) return false;
    const auto& other = world_.generations[static_cast<std::uint8_t>(successor)];
    const bool reads = other.runs() && (other.link == Link::waiting || other.link == Link::going);
    return reads || (me_.attempt == successor && !me_.unread_taken);  // we hold its end, too
}

bool Actor::say_to(Index successor, Word word) {
    if (!can_send_to(successor)) return false;
    if (!at(successor).down.push(word)) blunder(Blunder::no_room);
    return true;
}

}  // namespace handover::test::model
