// SPDX-License-Identifier: MIT
// What a generation does about its successor.
#include "handover/base/text.h"
#include "handover/error.h"
#include "handover/generation/runner.h"

#include <unistd.h>

#include <csignal>
#include <utility>

namespace handover {

using lifecycle::Action;
using lifecycle::Event;
using lifecycle::State;

/// The part of perform() that is about a successor.
void Generation::Runner::perform_on_successor(Action action) {
    switch (action) {
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
            return handover_->successor().say_go();
        case Action::report_handover:
            return report_handover();
        case Action::start_probation:
            return handover_->start_probation(options_.probation);
        case Action::move_connections:
            return move_connections();
        case Action::recall_connections:
            return recall_connections();
        case Action::report_rollback:
            return report_rollback();
        case Action::hand_main_pid:
            return hand_main_pid();
        case Action::release_successor:
            return release_successor();
        default:
            return;
    }
}

Handover::Callbacks Generation::Runner::handover_callbacks() {
    return {
        .of_successor = {.on_ready =
                             [this] {
                                 const bool knows_probation =
                                     handover_->successor().peer().protocol >= probation_version;
                                 handle(knows_probation ? Event::successor_ready
                                                        : Event::old_successor_ready);
                             },
                         .on_failed =
                             [this](const std::string& reason) {
                                 handover_->fail(reason);
                                 handle(Event::successor_failed);
                             },
                         .on_promotion_wanted = [this] { handle(Event::promotion_wanted); },
                         .on_stopping = [this] { handle(Event::stop_requested); },
                         .on_restarting = [this] { handle(Event::restart_requested); },
                         .on_drain_quota = [this](std::uint64_t count) { on_drain_quota(count); }},
        .on_probation_passed = [this] { handle(Event::probation_passed); }};
}

void Generation::Runner::start_successor() {
    handover_ = std::make_unique<Handover>(loop_, manager_, std::exchange(pending_requests_, {}));
    reports_.recorder().handover_begins();
    try {
        handover_->begin(handover_callbacks(), program_, listener_set_.passed_fds(), hello(),
                         options_.ready_timeout);
    } catch (const Error& error) {
        handover_->fail(error.what());
        handle(Event::successor_failed);
    }
}

void Generation::Runner::end_successor() {
    if (handover_->failure().empty())
        handover_->fail(reports_.name() + " was asked to end before the successor was ready");
    handover_->stop_waiting();
    if (handover_->has_successor()) handover_->successor().kill();
}

HandoverResult Generation::Runner::failure(const std::string& reason) const {
    HandoverResult result;
    result.from = reports_.number();
    result.reason = reason;
    return result;
}

void Generation::Runner::report_failed_handover() {
    const auto ended = end_handover();
    reports_.count_handover(HandoverOutcome::failed, ended->failure());
    const auto result = failure("handover failed: " + ended->failure() + "; " + reports_.name() +
                                (state_ == State::serving ? " serves on" : " ends"));
    reports_.recorder().tell(ServiceEvent::Type::failed, result.reason);
    manager_.ready(result.reason);
    reports_.report_handover({.severity = Report::Severity::error,
                              .event = Report::Event::handover_failed,
                              .reason = ended->failure(),
                              .kind = HandoverKind::reload,
                              .result = HandoverOutcome::failed},
                             result);
    ended->answer(result);
}

void Generation::Runner::refuse_handover() {
    const auto result =
        failure(reports_.name() + " cannot hand over now: " +
                (supervision_.is_orphaned()
                     ? "the main process was killed, and the service manager is about to start anew"
                     : "it is " + std::string(lifecycle::to_string(state_)) +
                           (handover_ && handover_->has_successor()
                                ? " to pid " + std::to_string(handover_->successor().pid())
                                : "")));
    reports_.report_handover({.severity = Report::Severity::warning}, result);
    answer_pending_requests(result);
}

/// It will ask us to make it the main process first.
void Generation::Runner::pass_handover_on() {
    auto& successor = handover_->successor();
    successor.signal(SIGUSR2);
    answer_pending_requests(failure(reports_.name() + " has handed over to generation " +
                                    std::to_string(successor.peer().generation) +
                                    ", which has been asked instead"));
}

/// What it has not read by now goes the way of our own connections.
void Generation::Runner::pass_stop_on() {
    handover_->stop_waiting();
    handover_->successor().signal(SIGTERM);
    export_.keep(handover_->successor().take_unread());
}

void Generation::Runner::report_handover() {
    auto& successor = handover_->successor();
    const auto& peer = successor.peer();
    HandoverResult result;
    result.succeeded = true;
    result.from = reports_.number();
    result.to = peer.generation;
    result.pid = successor.pid();
    result.version = peer.version;
    result.same_build = !reports_.build_id().empty() && peer.build_id == reports_.build_id();
    result.duration = successor.age();
    listener_set_.ledger().handover_counters().reloads().add(result.duration);
    reports_.recorder().successor_accepts(result.to, result.duration);
    manager_.ready(result.to_string());
    reports_.report_handover({.event = Report::Event::took_over,
                              .pid = result.pid,
                              .version = result.version,
                              .kind = HandoverKind::reload,
                              .duration = result.duration},
                             result);
    handover_->answer(result);
}

void Generation::Runner::move_connections() {
    drain_deadline_.start();
    if (predecessor_)
        predecessor_->say_drain_quota(options_.draining_max - 1);  // we are one of them
    if (handover_->successor().peer().protocol >= 2)
        export_.move_to(handover_->successor().take_channel(), options_.patient_idle_grace);
    else
        export_.drain(options_.patient_idle_grace);
}

// ---- rollback

void Generation::Runner::recall_connections() {
    handover_->lose_connections(export_.recall(handover_->successor().take_unread()));
    drain_deadline_.stop();
}

/// MAINPID= again: the manager may have been told otherwise a moment ago.
void Generation::Runner::report_rollback() {
    const auto ended = end_handover();
    const auto lost = ended->lost_connections();
    reports_.count_handover(HandoverOutcome::rolled_back, ended->failure());
    listener_set_.ledger().set_main_pid(::getpid());
    const auto result = failure("rolled back: " + ended->failure() + ", on probation; " +
                                (lost == 0 ? "no connection" : plural(lost, "connection")) +
                                " went down with it; " + reports_.name() + " serves again");
    reports_.recorder().tell(ServiceEvent::Type::rolled_back, result.reason);
    manager_.hand_main_pid(::getpid(), result.reason);
    reports_.report_handover({.severity = Report::Severity::error,
                              .event = Report::Event::rolled_back,
                              .reason = ended->failure(),
                              .kind = HandoverKind::reload,
                              .result = HandoverOutcome::rolled_back},
                             result);
}

// ---- the end of the probation

/// A successor that hangs must not become the main process; one of an older release has not begun.
void Generation::Runner::hand_main_pid() {
    handover_->stop_probation();
    if (state_ == State::promoting_before_go) return tell_manager();
    handover_->successor().check_health([this] {
        // A stop or a restart may have come first.
        if (state_ == State::promoting || state_ == State::promoting_drained) tell_manager();
    });
}

void Generation::Runner::tell_manager() {
    auto& successor = handover_->successor();
    successor.release();
    supervision_.hand_main_pid(successor.pid(),
                               "generation " + std::to_string(successor.peer().generation) +
                                   " takes over from " + std::to_string(reports_.number()));
    handover_->await_manager([this] {
        handover_->successor().read_all();
        // It was asked to stop, and so we stop, too; or it has ended, which is seen next.
        if (!handover_ || handover_->successor().has_ended()) return;
        if (state_ == State::promoting_before_go) return handle(Event::main_pid_handed);
        handover_->successor().say_promoted([this] { handle(Event::main_pid_handed); });
    });
}

void Generation::Runner::release_successor() {
    reports_.count_handover(HandoverOutcome::ok, "");
    handover_->stop_waiting();  // a stop or a restart may come before the manager has answered
    auto& successor = handover_->successor();
    successor.detach();
    // Who waits for it from here on is our anchor, if we have one.
    if (!successor.has_ended()) supervision_.set_main_process(successor.pid());
    export_.settle();
    // We listen on: it may tell us to make room. An older release only waits for our end of it.
    if (successor.peer().protocol < probation_version) end_handover();
}

/// One generation drains for a few seconds as a rule. Where reloads come faster than slow requests
/// end, each holds a process and its memory: the oldest ones have to go, with a last grace so that
/// a burst of reloads costs nobody a request.
void Generation::Runner::on_drain_quota(std::uint64_t count) {
    if (predecessor_) predecessor_->say_drain_quota(count > 0 ? count - 1 : 0);
    if (count == 0 && state_ == State::draining && drain_deadline_.shorten()) note_state();
}

/// It is destroyed when the loop turns next: we may be inside one of its callbacks.
std::shared_ptr<Handover> Generation::Runner::end_handover() {
    handover_->close();
    std::shared_ptr<Handover> ended = std::move(handover_);
    loop_.post([ended]() mutable { ended.reset(); });
    return ended;
}

// ---- who asked

void Generation::Runner::request_handover(std::function<void(const HandoverResult&)> done) {
    loop_.post([this, done = std::move(done)] {
        pending_requests_.push_back(done);
        on_handover_requested();
    });
}

/// An orphan waits for the manager to start the service anew from the fd store. What it started
/// itself, the manager would take for a leftover and end.
void Generation::Runner::on_handover_requested() {
    if (supervision_.is_orphaned()) return refuse_handover();
    handle(Event::handover_requested);
}

void Generation::Runner::answer_pending_requests(const HandoverResult& result) {
    for (const auto& requester : std::exchange(pending_requests_, {})) requester(result);
}

}  // namespace handover
