// SPDX-License-Identifier: MIT
// What the actions of the lifecycle do in the model's world.
#include "unit/lifecycle/model_actor.h"

#include <algorithm>
#include <utility>

namespace handover::test::model {

/// What Generation::Runner::perform() does, on this world.
/// About itself; the others are about its two neighbours.
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
        case Action::fall_silent:
            me_.main = false;
            me_.silent = true;
            return;
        case Action::stop_accepting:
            me_.accepts = false;
            return;
        case Action::announce_stopping:  // STOPPING=1
            return notify(Notice::Kind::stopping);
        case Action::release_listeners:
            me_.holds_listener = me_.accepts = false;
            return;
        case Action::retire_listeners:  // out of the fd store, if we are the main process
            return retire_listeners();
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
        default:
            return perform_on_predecessor(action);
    }
}

/// About the generation before it.
void Actor::perform_on_predecessor(Action action) {
    switch (action) {
        case Action::say_ready:
            return say_to_predecessor(Word::ready);
        case Action::ask_for_promotion:
            return say_to_predecessor(Word::promote_me);
        case Action::pass_stop_to_predecessor:
            return say_to_predecessor(Word::stopping);
        case Action::pass_restart_to_predecessor:
            return say_to_predecessor(Word::restarting);
        case Action::drop_predecessor:  // after having read what it has sent
            return drop_predecessor();
        default:
            return perform_on_successor(action);
    }
}

/// About the generation after it.
void Actor::perform_on_successor(Action action) {
    switch (action) {
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
        case Action::release_successor:
            return release_successor();
        case Action::move_connections:
            return move_connections();
        default:
            return blunder(Blunder::no_room);
    }
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

}  // namespace handover::test::model
