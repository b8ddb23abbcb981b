// SPDX-License-Identifier: MIT
#include "unit/lifecycle/model_actor.h"

#include "unit/lifecycle/lists.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace handover::test::model {
namespace {

using Way = Generation::Way;
using Link = Generation::Link;
using Verdict = Generation::Verdict;
using Barrier = Generation::Barrier;
using Deadline = Generation::Deadline;
using Process = Generation::Process;

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

/// 0: it carries none.
Connections connection_in(Word word) {
    if (word == Word::first_connection) return 1;
    return word == Word::second_connection ? 2 : 0;
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

/// What Generation::Runner::perform() does, on this world.
void Actor::perform(Action action) {
    switch (action) {
        case Action::store_listeners:  // into the fd store, also when silent
            return notify(Notice::Kind::store_listener);
        case Action::start_accepting:
            return start_accepting();
        case Action::adopt_stored_connections:  // the channels in the fd store
            me_.connections |= std::exchange(world_.manager.stored, Connections{0});
            return;
        case Action::announce_ready:  // READY=1
            me_.main = true;
            return notify(Notice::Kind::ready);
        case Action::say_ready:
            return say_to_predecessor(Word::ready);
        case Action::ask_for_promotion:
            return say_to_predecessor(Word::promote_me);
        case Action::pass_stop_to_predecessor:
            return say_to_predecessor(Word::stopping);
        case Action::pass_restart_to_predecessor:
            return say_to_predecessor(Word::restarting);
        case Action::announce_reloading:  // RELOADING=1
            return notify(Notice::Kind::reloading);
        case Action::start_successor:  // it has a process and a channel, or fails
            return start_successor();
        case Action::end_successor:  // SIGKILL, and nothing is waited for any more
            return end_successor();
        case Action::report_failed_handover:  // READY=1
            return report_failed_handover();
        case Action::refuse_handover:
            me_.newcomers = false;
            return;
        case Action::pass_handover_on:  // SIGUSR2
            at(me_.attempt).signals |= static_cast<std::uint8_t>(Signal::handover);
            me_.newcomers = false;
            return;
        case Action::pass_stop_on:  // SIGTERM, and what it has not read comes back
            return pass_stop_on();
        case Action::say_go:
            (void)say_to(me_.attempt, Word::go);
            return;
        case Action::report_handover:  // READY=1
            me_.requesters = false;
            return notify(Notice::Kind::ready);
        case Action::start_probation:
            me_.probation_timer = true;
            return;
        case Action::recall_connections:  // what was not read, and what was not sent
            return recall_connections();
        case Action::report_rollback:  // MAINPID= of ours
            return report_rollback();
        case Action::hand_main_pid:  // MAINPID= and a barrier
            return hand_main_pid();
        case Action::fall_silent:
            me_.main = false;
            me_.silent = true;
            return;
        case Action::release_successor:
            return release_successor();
        case Action::stop_accepting:
            me_.accepts = false;
            return;
        case Action::announce_stopping:  // STOPPING=1
            return notify(Notice::Kind::stopping);
        case Action::drop_predecessor:  // after having read what it has sent
            return drop_predecessor();
        case Action::release_listeners:
            me_.holds_listener = me_.accepts = false;
            return;
        case Action::retire_listeners:  // out of the fd store, if we are the main process
            return retire_listeners();
        case Action::move_connections:
            return move_connections();
        case Action::store_connections:  // into the fd store, as soon as it has taken a channel
            return store_connections();
        case Action::drain_promptly:
            return drain_promptly();
        case Action::close_remaining:
            return close_remaining();
        case Action::end:
            return end();
        case Action::take_over:            // a number
        case Action::report_serving:       // a line in the log
        case Action::announce_restarting:  // STATUS=
            return;
    }
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

// ---- what the actions do

void Actor::start_accepting() {
    if (!me_.holds_listener) blunder(Blunder::no_listener);
    me_.accepts = true;
}

void Actor::start_successor() {
    if (me_.attempt != nobody) blunder(Blunder::two_attempts);
    me_.requesters = std::exchange(me_.newcomers, false);
    me_.verdict = Verdict::none;
    me_.released = me_.unread_taken = false;
    const auto next = std::exchange(world_.next_start, World::NextStart::sound);
    const auto free = std::ranges::find(world_.generations, Process::none, &Generation::process);
    if (next == World::NextStart::fails || world_.starts_left == 0 ||
        free == world_.generations.end())
        return handle(Event::successor_failed);
    --world_.starts_left;
    me_.attempt = static_cast<Index>(free - world_.generations.begin());
    me_.ready_timer = true;
    free->process = Process::running;
    free->old = next == World::NextStart::old;
    free->without_probation = free->old || me_.old;
    free->link = Link::waiting;
    free->predecessor = index_;
    free->holds_listener = true;
}

void Actor::end_successor() {
    cancel_barrier();
    me_.probation_timer = me_.ready_timer = false;
    if (me_.attempt != nobody) kill(world_, me_.attempt);
}

void Actor::report_failed_handover() {
    forget_successor();
    notify(Notice::Kind::ready);
    me_.requesters = false;
}

void Actor::report_rollback() {
    forget_successor();
    notify(Notice::Kind::main_pid, index_);
}

/// Also what ConnectionExport has not sent: with the connections of the services, as in recall().
void Actor::recall_connections() {
    take_unread();
    me_.way = Way::none;
    me_.target = nobody;
    me_.drained = false;
    me_.deadline = Deadline::off;
}

void Actor::pass_stop_on() {
    me_.probation_timer = false;
    cancel_barrier();
    at(me_.attempt).signals |= static_cast<std::uint8_t>(Signal::stop);
    keep_connections();
}

/// They come back from a successor that ends as well, and nothing goes there any more.
void Actor::keep_connections() {
    take_unread();
    if (me_.way == Way::to_successor) me_.way = Way::nowhere;
    me_.target = nobody;
}

void Actor::take_unread() {
    if (me_.attempt == nobody || std::exchange(me_.unread_taken, true)) return;
    auto& unread = at(me_.attempt).down;
    while (!unread.empty()) me_.connections |= connection_in(unread.pop());
}

void Actor::hand_main_pid() {
    me_.probation_timer = false;
    me_.released = true;
    notify(Notice::Kind::main_pid, me_.attempt);
    me_.barrier = Barrier::waits;
    notify(Notice::Kind::barrier);
}

void Actor::release_successor() {
    me_.probation_timer = false;
    cancel_barrier();
    forget_successor();
}

void Actor::forget_successor() {
    me_.attempt = nobody;
}

void Actor::retire_listeners() {
    if (me_.main && !me_.orphaned) notify(Notice::Kind::remove_listener);
    me_.holds_listener = me_.accepts = false;
}

void Actor::drop_predecessor() {
    while (read_predecessor()) continue;
    if (me_.link == Link::waiting || me_.link == Link::going) me_.link = Link::gone;
    me_.expects_imports = false;
}

void Actor::start_drain_timeout() {
    if (me_.deadline == Deadline::off) me_.deadline = Deadline::running;
}

void Actor::move_connections() {
    start_drain_timeout();
    me_.way = Way::to_successor;
    me_.target = me_.attempt;
}

void Actor::store_connections() {
    start_drain_timeout();
    if (me_.attempt != nobody && !at(me_.attempt).runs()) keep_connections();
    begin_again();
    if (me_.store_barrier != Barrier::none || me_.way == Way::to_store) return;
    if (me_.connections == 0 && !me_.expects_imports && me_.way != Way::to_successor) {
        me_.way = Way::nowhere;
        return;
    }
    me_.store_barrier = Barrier::waits;
    notify(Notice::Kind::store_channel);
    notify(Notice::Kind::store_barrier);
}

void Actor::conclude_store(bool stored) {
    me_.store_barrier = Barrier::none;
    if (stored) {
        if (me_.way == Way::to_successor) (void)say_to(me_.target, Word::end);
        me_.way = Way::to_store;
        me_.target = nobody;
    } else if (me_.way != Way::to_successor) {
        me_.way = Way::nowhere;
    }
}

/// What may have come back has to go, too; the successor has got the account.
void Actor::begin_again() {
    if (!std::exchange(me_.drained, false)) return;
    if (me_.way == Way::to_successor) me_.way = Way::nowhere;
    me_.target = nobody;
}

void Actor::drain_promptly() {
    start_drain_timeout();
    begin_again();
    if (me_.way == Way::none) me_.way = Way::nowhere;
}

void Actor::close_remaining() {
    world_.cut |= std::exchange(me_.connections, Connections{0});
    if (me_.way == Way::to_successor && !me_.drained) (void)say_to(me_.target, Word::end);
    me_.drained = true;
    me_.deadline = Deadline::off;  // what comes back gets one of its own
}

/// run() returns, and everything that the process had is closed.
void Actor::end() {
    if (me_.attempt != nobody && !me_.released) {
        blunder(Blunder::killed_its_heir);
        kill(world_, me_.attempt);
    }
    world_.dropped |= std::exchange(me_.connections, Connections{0});
    if (me_.newcomers || me_.requesters) blunder(Blunder::dropped_requests);
    me_.process = Process::ended;
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
