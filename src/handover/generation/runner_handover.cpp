// SPDX-License-Identifier: MIT
// What a generation does about its successor.
#include "handover/base/text.h"
#include "handover/error.h"
#include "handover/generation/runner.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

namespace handover {

using lifecycle::Event;
using lifecycle::State;

SuccessorLink::Callbacks Generation::Runner::successor_callbacks() {
    return {[this] {
                const bool knows_probation = successor_->peer().protocol >= probation_version;
                handle(knows_probation ? Event::successor_ready : Event::old_successor_ready);
            },
            [this](const std::string& reason) {
                failure_ = reason;
                handle(Event::successor_failed);
            },
            [this] { handle(Event::promotion_wanted); },
            [this] { handle(Event::stop_requested); },
            [this] { handle(Event::restart_requested); },
            [this](std::uint64_t count) { on_drain_quota(count); }};
}

void Generation::Runner::start_successor() {
    requesters_ = std::exchange(pending_requests_, {});
    failure_.clear();
    recorder_.handover_begins();
    try {
        successor_ = std::make_shared<SuccessorLink>(loop_, successor_callbacks());
        successor_->begin(program_, listener_set_.passed_fds(), hello(), options_.ready_timeout);
    } catch (const Error& error) {
        failure_ = error.what();
        handle(Event::successor_failed);
    }
}

void Generation::Runner::end_successor() {
    if (failure_.empty()) failure_ = name() + " was asked to end before the successor was ready";
    barrier_.cancel();
    probation_.stop();
    if (successor_) successor_->kill();  // else there was no descriptor for it
}

HandoverResult Generation::Runner::failure(const std::string& reason) const {
    HandoverResult result;
    result.from = number_;
    result.reason = reason;
    return result;
}

void Generation::Runner::report_failed_handover() {
    forget_successor();
    count_handover(HandoverOutcome::failed);
    const auto result = failure("handover failed: " + failure_ + "; " + name() +
                                (state_ == State::serving ? " serves on" : " ends"));
    recorder_.tell(ServiceEvent::Type::failed, result.reason);
    manager_.ready(result.reason);
    tell({.severity = Severity::error,
          .event = Report::Event::handover_failed,
          .reason = failure_,
          .kind = HandoverKind::reload,
          .result = HandoverOutcome::failed},
         result);
    answer(requesters_, result);
}

void Generation::Runner::refuse_handover() {
    const auto result = failure(
        name() + " cannot hand over now: " +
        (orphaned_ ? "the main process was killed, and the service manager is about to start anew"
                   : "it is " + std::string(lifecycle::to_string(state_)) +
                         (successor_ ? " to pid " + std::to_string(successor_->pid()) : "")));
    tell({.severity = Severity::warning}, result);
    answer(pending_requests_, result);
}

/// It will ask us to make it the main process first.
void Generation::Runner::pass_handover_on() {
    successor_->signal(SIGUSR2);
    answer(pending_requests_, failure(name() + " has handed over to generation " +
                                      std::to_string(successor_->peer().generation) +
                                      ", which has been asked instead"));
}

/// What it has not read by now goes the way of our own connections.
void Generation::Runner::pass_stop_on() {
    probation_.stop();
    barrier_.cancel();
    successor_->signal(SIGTERM);
    export_.keep(successor_->take_unread());
}

void Generation::Runner::report_handover() {
    const auto& peer = successor_->peer();
    HandoverResult result;
    result.succeeded = true;
    result.from = number_;
    result.to = peer.generation;
    result.pid = successor_->pid();
    result.version = peer.version;
    result.same_build = !build_id_.empty() && peer.build_id == build_id_;
    result.duration = successor_->age();
    listener_set_.ledger().handover_counters().reloads().add(result.duration);
    recorder_.successor_accepts(result.to, result.duration);
    manager_.ready(result.to_string());
    tell({.event = Report::Event::took_over,
          .pid = result.pid,
          .version = result.version,
          .kind = HandoverKind::reload,
          .duration = result.duration},
         result);
    answer(requesters_, result);
}

void Generation::Runner::move_connections() {
    start_drain_timeout();
    if (predecessor_)
        predecessor_->say_drain_quota(options_.draining_max - 1);  // we are one of them
    if (successor_->peer().protocol >= 2)
        export_.move_to(successor_->take_channel(), options_.patient_idle_grace);
    else
        export_.drain(options_.patient_idle_grace);
}

// ---- rollback

void Generation::Runner::recall_connections() {
    lost_connections_ = export_.recall(successor_->take_unread());
    draining_ = false;
    drains_since_.reset();
    drain_timeout_.stop();
}

/// MAINPID= again: the manager may have been told otherwise a moment ago.
void Generation::Runner::report_rollback() {
    forget_successor();
    count_handover(HandoverOutcome::rolled_back);
    listener_set_.ledger().set_main_pid(::getpid());
    const auto result = failure(
        "rolled back: " + failure_ + ", on probation; " +
        (lost_connections_ == 0 ? "no connection" : plural(lost_connections_, "connection")) +
        " went down with it; " + name() + " serves again");
    recorder_.tell(ServiceEvent::Type::rolled_back, result.reason);
    manager_.hand_main_pid(::getpid(), result.reason);
    tell({.severity = Severity::error,
          .event = Report::Event::rolled_back,
          .reason = failure_,
          .kind = HandoverKind::reload,
          .result = HandoverOutcome::rolled_back},
         result);
}

// ---- the end of the probation

/// A successor that hangs must not become the main process; one of an older release has not begun.
void Generation::Runner::hand_main_pid() {
    probation_.stop();
    if (state_ == State::promoting_before_go) return tell_manager();
    successor_->check_health([this] {
        // A stop or a restart may have come first.
        if (state_ == State::promoting || state_ == State::promoting_drained) tell_manager();
    });
}

void Generation::Runner::tell_manager() {
    successor_->release();
    Anchor::set_main_process(listener_set_.ledger(), successor_->pid());
    listener_set_.ledger().set_crashes(0);
    manager_.hand_main_pid(successor_->pid(), "generation " +
                                                  std::to_string(successor_->peer().generation) +
                                                  " takes over from " + std::to_string(number_));
    barrier_.begin([this](BarrierWait::Outcome) {
        successor_->read_all();
        // It was asked to stop, and so we stop, too; or it has ended, which is seen next.
        if (!successor_ || successor_->has_ended()) return;
        if (state_ == State::promoting_before_go) return handle(Event::main_pid_handed);
        successor_->say_promoted([this] { handle(Event::main_pid_handed); });
    });
}

void Generation::Runner::release_successor() {
    probation_.stop();
    count_handover(HandoverOutcome::ok);
    barrier_.cancel();  // a restart may come before it has passed
    successor_->detach();
    // Who waits for it from here on is our anchor, if we have one.
    if (!successor_->has_ended())
        Anchor::set_main_process(listener_set_.ledger(), successor_->pid());
    export_.settle();
    // We listen on: it may tell us to make room. An older release only waits for our end of it.
    if (successor_->peer().protocol < probation_version) forget_successor();
}

/// One generation drains for a few seconds as a rule. Where reloads come faster than slow requests
/// end, each holds a process and its memory: the oldest ones have to go, with a last grace so that
/// a burst of reloads costs nobody a request.
void Generation::Runner::on_drain_quota(std::uint64_t count) {
    if (predecessor_) predecessor_->say_drain_quota(count > 0 ? count - 1 : 0);
    if (count > 0 || state_ != State::draining || std::exchange(over_quota_, true)) return;
    const auto now = std::chrono::steady_clock::now();
    deadline_ = std::min(deadline_, now + options_.prompt_idle_grace);
    drain_timeout_.start_once(std::chrono::ceil<std::chrono::milliseconds>(deadline_ - now));
    note_state();
}

void Generation::Runner::count_handover(HandoverOutcome outcome) {
    listener_set_.ledger().handover_counters().count(HandoverKind::reload, outcome);
    recorder_.handover_ends(outcome, outcome == HandoverOutcome::ok ? "" : failure_);
}

void Generation::Runner::forget_successor() {
    // We may be inside one of its callbacks.
    loop_.post([ended = std::exchange(successor_, nullptr)]() mutable { ended.reset(); });
}

// ---- who asked

void Generation::Runner::request_handover(Requester done) {
    loop_.post([this, done = std::move(done)] {
        pending_requests_.push_back(done);
        on_handover_requested();
    });
}

/// An orphan waits for the manager to start the service anew from the fd store. What it started
/// itself, the manager would take for a leftover and end.
void Generation::Runner::on_handover_requested() {
    if (orphaned_) return refuse_handover();
    handle(Event::handover_requested);
}

void Generation::Runner::answer(std::vector<Requester>& requesters, const HandoverResult& result) {
    for (const auto& requester : std::exchange(requesters, {})) requester(result);
}

}  // namespace handover
