// SPDX-License-Identifier: MIT
#include "handover/generation/runner.h"

#include "handover/base/text.h"
#include "handover/error.h"
#include "handover/generation/backoff.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

namespace handover {
namespace {

using std::chrono::milliseconds;

/// A successor all of whose threads have been stuck for longer is not well.
constexpr milliseconds healthy_within{5'000};

}  // namespace

using lifecycle::Action;
using lifecycle::Event;
using lifecycle::State;

Generation::Runner::Runner(InheritedState inheritance, GenerationOptions options)
    : options_(std::move(options)),
      program_(std::move(inheritance.program)),
      warnings_(std::move(inheritance.warnings)),
      listener_set_(inheritance, manager_),
      started_by_predecessor_(inheritance.predecessor.has_value()),
      signals_(loop_, {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2},
               [this](int number, pid_t sender) { on_signal(number, sender); }),
      barrier_(loop_, manager_),
      backoff_(loop_, [this] { handle(Event::started); }),
      established_(loop_, [this] { listener_set_.ledger().set_crashes(0); }),
      watchdog_(loop_, [this] { feed_watchdog(); }),
      probation_(loop_, [this] { handle(Event::probation_passed); }),
      drain_timeout_(loop_, [this] { handle(Event::deadline_passed); }),
      countdown_(loop_, [this] { count_down(); }),
      counting_(loop_, [this] { recorder_.count(services_.counts()); }) {
    if (inheritance.predecessor)
        predecessor_.emplace(loop_, std::move(*inheritance.predecessor), predecessor_callbacks());
}

// ---- start and end

Generation::Exit Generation::Runner::run() {
    try {
        start();
    } catch (const Error& error) {
        if (predecessor_) predecessor_->refuse(error.what());
        throw;
    }
    loop_.run();
    // What our anchor sent us a moment ago is for the next; if that is us, they stay pending.
    if (!anchor_) signals_.deliver_pending();
    recorder_.count(services_.counts());
    recorder_.end(export_.counts());
    report_end();
    return {anchor_ && anchor_->has_successor() ? stay() : 0, cut_};
}

void Generation::Runner::start() {
    if (predecessor_) {
        kind_ = HandoverKind::reload;
        predecessor_->greet(hello());
    }
    for (const auto& warning : warnings_) warn_(warning);
    begin_record();
    become_anchor();
    listener_set_.assemble(services_.wanted(), warn_);
    if (predecessor_) return handle(Event::started_by_predecessor);
    const auto crashes = listener_set_.ledger().crashes();
    if (backoff_after(crashes) > milliseconds(0)) return back_off(crashes);
    handle(Event::started);
}

PredecessorLink::Callbacks Generation::Runner::predecessor_callbacks() {
    return {[this] { on_go(); },
            [this] { on_predecessor_lost(); },
            [this] {
                handle(Event::promoted);
                report_promotion();
            },
            [this] { on_health_check(); },
            [this](Message message) { on_arrived(std::move(message)); },
            [this] {
                import_.take_unreadable();
                note_state();
            },
            [this] { on_predecessor_ended(); }};
}

void Generation::Runner::on_go() {
    import_.begin(predecessor_->generation(), "reload");
    export_.expect_imports(true);
    handle(Event::go);
}

void Generation::Runner::on_arrived(Message message) {
    const bool last = message.type == Message::Type::end;
    import_.take(std::move(message));
    if (last) export_.expect_imports(false);
    note_state();
}

/// Whoever cannot serve says nothing, and is rolled back.
void Generation::Runner::on_health_check() {
    if (services_.is_responsive(healthy_within)) predecessor_->say(Message::Type::healthy);
}

/// With a service manager, we have not become the main process, and the old one's death makes the
/// manager end us and start anew from the fd store. So we serve until then, but own nothing. Under
/// an anchor, nobody but us is left.
void Generation::Runner::on_predecessor_lost() {
    orphaned_ = manager_.present() && listener_set_.ledger().anchor_pid() == 0;
    if (orphaned_)
        manager_.fall_silent();
    else if (lifecycle::is_ready(state_) || state_ == State::waiting_for_go) {
        listener_set_.ledger().handover_counters().count(HandoverKind::crash, HandoverOutcome::ok);
        recorder_.succeeded_a_crash();
    }
    if (state_ == State::waiting_for_go) kind_ = HandoverKind::crash;
    handle(Event::predecessor_lost);
}

void Generation::Runner::on_predecessor_ended() {
    const bool lost = !predecessor_->promoted();
    loop_.post([this] { predecessor_.reset(); });  // we are inside it
    export_.expect_imports(false);
    if (lost) on_predecessor_lost();
}

void Generation::Runner::on_signal(int number, pid_t sender) {
    if (Anchor::returns_signal(listener_set_.ledger(), number, sender) || state_ == State::ended)
        return;
    // What the predecessor has said, or that it is gone, came first and changes what this means;
    // and so does what the successor has said.
    if (predecessor_) predecessor_->read_all();
    if (successor_) successor_->read_all();
    if (anchor_ && anchor_->has_successor()) {
        // Whoever signals the process that was started means the service.
        anchor_->pass_on(number);
        if (number != SIGTERM && number != SIGINT) return;
    }
    switch (number) {
        case SIGHUP:
        case SIGUSR2:
            pending_requests_.emplace_back([](const HandoverResult&) {});
            return on_handover_requested();
        case SIGUSR1:
            return handle(Event::restart_requested);
        case SIGTERM:
            // The manager ends an orphan to start anew.
            return handle(orphaned_ ? Event::restart_requested : Event::stop_requested);
        default:
            return handle(Event::interrupted);
    }
}

// ---- the lifecycle

void Generation::Runner::handle(Event event) {
    events_.push_back(event);
    if (std::exchange(handling_, true)) return;
    while (!events_.empty()) {
        const Event current = events_.front();
        events_.pop_front();
        const auto transition = lifecycle::step(state_, current);
        const State before = std::exchange(state_, transition.next);
        debug_transition(before, current);
        note_state();  // before the first request can ask for it, and again with what has changed
        for (const Action action : transition.actions) perform(action);
        note_state();
        tell_transition(before, current);
    }
    handling_ = false;
    answer_end_of_probation();
}

void Generation::Runner::perform(Action action) {
    switch (action) {
        case Action::take_over:
            return take_over();
        case Action::store_listeners:
            return store_listeners();
        case Action::start_accepting:
            return services_.start_accepting(listener_set_.listeners(), listener_set_.dropped());
        case Action::adopt_stored_connections:
            return adopt_stored_connections();
        case Action::announce_ready:
            return announce_ready();
        case Action::report_serving:
            return report_serving();
        case Action::say_ready:
            return predecessor_->say_ready();
        case Action::ask_for_promotion:
            return predecessor_->say(Message::Type::promote_me);
        case Action::pass_restart_to_predecessor:
            return predecessor_->say(Message::Type::restarting);
        case Action::pass_stop_to_predecessor:
            return predecessor_->say(Message::Type::stopping);
        case Action::announce_reloading:
            return manager_.reloading(name() + " starts its successor");
        case Action::start_successor:
            return start_successor();
        case Action::end_successor:
            return end_successor();
        case Action::report_failed_handover:
            return report_failed_handover();
        case Action::refuse_handover:
            return refuse_handover();
        case Action::pass_handover_on:
            return pass_handover_on();
        case Action::pass_stop_on:
            return pass_stop_on();
        case Action::say_go:
            return successor_->say_go();
        case Action::report_handover:
            return report_handover();
        case Action::start_probation:
            return probation_.start_once(options_.probation);
        case Action::recall_connections:
            return recall_connections();
        case Action::report_rollback:
            return report_rollback();
        case Action::hand_main_pid:
            return hand_main_pid();
        case Action::fall_silent:
            return fall_silent();
        case Action::release_successor:
            return release_successor();
        case Action::stop_accepting:
            return services_.stop_accepting();
        case Action::announce_restarting:
            return announce_end("leaves for a restart");
        case Action::announce_stopping:
            return announce_end("stops");
        case Action::drop_predecessor:
            return drop_predecessor();
        case Action::release_listeners:
            return listener_set_.release();
        case Action::retire_listeners:
            return retire_listeners();
        case Action::move_connections:
            return move_connections();
        case Action::store_connections:
            return store_connections();
        case Action::drain_promptly:
            return drain_promptly();
        case Action::close_remaining:
            return close_remaining();
        case Action::end:
            return loop_.stop();
    }
}

void Generation::Runner::take_over() {
    number_ = listener_set_.ledger().last_generation() + 1;
    listener_set_.ledger().set_last_generation(number_);
}

/// From here on nobody takes the dropped ones back. Whoever got into their queues is still served.
void Generation::Runner::store_listeners() {
    listener_set_.store(warn_);
    services_.detach(listener_set_.dropped(), listener_set_.listeners());
    listener_set_.close_dropped();
}

void Generation::Runner::adopt_stored_connections() {
    for (const auto& channel : listener_set_.take_stored_channels()) import_.take_all(channel);
    listener_set_.forget_stored_channels();
    note_state();  // before READY=1: whoever waits for that may ask
}

void Generation::Runner::retire_listeners() {
    if (main_)
        listener_set_.retire();
    else
        listener_set_.refuse_new_connections();
    services_.accept_queued_and_stop();
    listener_set_.release();
}

/// What it has sent already is ours.
void Generation::Runner::drop_predecessor() {
    if (!predecessor_) return;
    predecessor_->read_all();
    loop_.post([this] { predecessor_.reset(); });
    export_.expect_imports(false);
}

void Generation::Runner::start_drain_timeout() {
    if (std::exchange(draining_, true)) return;
    drains_since_ = std::chrono::steady_clock::now();
    deadline_ = *drains_since_ + options_.drain_timeout;
    drain_timeout_.start_once(options_.drain_timeout);
}

void Generation::Runner::note_drained() {
    const auto since = std::exchange(drains_since_, std::nullopt);
    if (since)
        listener_set_.ledger().handover_counters().drains().add(std::chrono::steady_clock::now() -
                                                                *since);
}

void Generation::Runner::on_drained() {
    note_drained();
    handle(Event::drained);
}

void Generation::Runner::store_connections() {
    start_drain_timeout();
    export_.store(hello(), options_.prompt_idle_grace);
    // The same restart may have ended a successor that had not read our `go`.
    if (successor_ && successor_->has_ended()) export_.keep(successor_->take_unread());
}

void Generation::Runner::drain_promptly() {
    start_drain_timeout();
    export_.drain(options_.prompt_idle_grace);
}

void Generation::Runner::close_remaining() {
    note_drained();
    cut_ = export_.cut();
    draining_ = false;  // what comes back from a successor gets a deadline of its own
    if (cut_ != 0)
        why_cut_ = plural(cut_, "connection") + " had not finished " +
                   (over_quota_ ? "when more than " + plural(options_.draining_max, "generation") +
                                      " would have been draining"
                                : "within the drain timeout of " + seconds(options_.drain_timeout));
}

// ---- what the actions need

void Generation::Runner::answer_end_of_probation() {
    switch (state_) {
        case State::starting:
        case State::waiting_for_go:
        case State::on_probation:
        case State::awaiting_promotion:
            return;
        default:
            for (const auto& done : std::exchange(waiting_for_end_of_probation_, {})) done();
    }
}

Message Generation::Runner::hello() {
    const auto number =
        number_ != 0 ? number_.load() : listener_set_.ledger().last_generation() + 1;
    Message message;
    message.type = Message::Type::hello;
    message.fields = {{Message::Tag::protocol, std::to_string(protocol_version)},
                      {Message::Tag::generation, std::to_string(number)},
                      {Message::Tag::version, options_.version},
                      {Message::Tag::build_id, build_id_}};
    return message;
}

// ---- from other threads

void Generation::Runner::await_end_of_probation(std::function<void()> done) {
    loop_.post([this, done = std::move(done)] {
        waiting_for_end_of_probation_.push_back(done);
        answer_end_of_probation();
    });
}

}  // namespace handover
