// SPDX-License-Identifier: MIT
#include "handover/generation/runner.h"

#include "handover/error.h"

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
      reports_(loop_, options_, listener_set_, services_, inheritance.predecessor.has_value()),
      import_(
          services_, [this](const std::string& text) { reports_.warn(text); },
          [this](const ParkedConnection& connection) {
              return listener_set_.has_dropped(connection);
          }),
      export_(loop_, services_, manager_,
              {.done =
                   [this] {
                       drain_deadline_.note_drained();
                       handle(Event::drained);
                   },
               .warn = [this](const std::string& text) { reports_.warn(text); }}),
      drain_deadline_(loop_,
                      {.timeout = options_.drain_timeout,
                       .last_grace = options_.prompt_idle_grace,
                       .draining_max = options_.draining_max},
                      listener_set_.ledger().handover_counters().drains(),
                      [this] { handle(Event::deadline_passed); }),
      supervision_(loop_,
                   {.options = options_,
                    .manager = manager_,
                    .ledger = listener_set_.ledger(),
                    .services = services_,
                    .deadline = drain_deadline_,
                    .reports = reports_},
                   {.on_backed_off = [this] { handle(Event::started); },
                    .on_anchor_lost = [this] { handle(Event::stop_requested); }}),
      signals_(loop_, {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2},
               [this](int number, pid_t sender) { on_signal(number, sender); }) {
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
    if (!supervision_.is_anchor()) signals_.deliver_pending();
    const bool stays = supervision_.stays_as_anchor();
    reports_.end(export_.counts(), drain_deadline_.why_cut(), stays);
    return {stays ? supervision_.stay() : 0, drain_deadline_.cut_connections()};
}

void Generation::Runner::start() {
    if (predecessor_) {
        reports_.set_kind(HandoverKind::reload);
        predecessor_->greet(hello());
    }
    for (const auto& warning : warnings_) reports_.warn(warning);
    reports_.begin_record(predecessor_ ? std::optional(predecessor_->generation()) : std::nullopt);
    if (!predecessor_) supervision_.become_anchor();
    listener_set_.assemble(services_.wanted(),
                           [this](const std::string& text) { reports_.warn(text); });
    if (predecessor_) return handle(Event::started_by_predecessor);
    if (!supervision_.back_off()) handle(Event::started);
}

PredecessorLink::Callbacks Generation::Runner::predecessor_callbacks() {
    return {.on_go = [this] { on_go(); },
            .on_lost = [this] { on_predecessor_lost(); },
            .on_promoted =
                [this] {
                    handle(Event::promoted);
                    reports_.report_promotion();
                },
            .on_health_check = [this] { on_health_check(); },
            .on_arrived = [this](Message message) { on_arrived(std::move(message)); },
            .on_unreadable =
                [this] {
                    import_.take_unreadable();
                    note_state();
                },
            .on_ended = [this] { on_predecessor_ended(); }};
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

void Generation::Runner::on_predecessor_lost() {
    const bool goes_on = !supervision_.lose_predecessor() &&
                         (lifecycle::is_ready(state_) || state_ == State::waiting_for_go);
    if (goes_on) reports_.count_succession();
    if (state_ == State::waiting_for_go) reports_.set_kind(HandoverKind::crash);
    handle(Event::predecessor_lost);
}

void Generation::Runner::on_predecessor_ended() {
    const bool lost = !predecessor_->promoted();
    loop_.post([this] { predecessor_.reset(); });  // we are inside it
    export_.expect_imports(false);
    if (lost) on_predecessor_lost();
}

void Generation::Runner::on_signal(int number, pid_t sender) {
    if (supervision_.returns_signal(number, sender) || state_ == State::ended) return;
    // What the predecessor has said, or that it is gone, came first and changes what this means;
    // and so does what the successor has said.
    if (predecessor_) predecessor_->read_all();
    if (handover_ && handover_->has_successor()) handover_->successor().read_all();
    if (supervision_.stays_as_anchor()) {
        // Whoever signals the process that was started means the service.
        supervision_.pass_on(number);
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
            return handle(supervision_.is_orphaned() ? Event::restart_requested
                                                     : Event::stop_requested);
        default:
            return handle(Event::interrupted);
    }
}

// ---- the lifecycle

/// An action may cause the next event, which has to wait until this one is done.
void Generation::Runner::handle(Event event) {
    events_.push_back(event);
    if (events_.size() > 1) return;
    for (; !events_.empty(); events_.pop_front()) step(events_.front());
    answer_end_of_probation();
}

void Generation::Runner::step(Event event) {
    const auto transition = lifecycle::step(state_, event);
    const State before = std::exchange(state_, transition.next);
    reports_.report_transition(before, event, state_);
    note_state();  // before the first request can ask for it, and again with what has changed
    for (const Action action : transition.actions) perform(action);
    note_state();
    reports_.record_transition(before, event, state_);
}

void Generation::Runner::note_state() {
    reports_.note_state(state_, drain_deadline_.ends(), import_.account());
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
            return supervision_.announce_ready();
        case Action::report_serving:
            return reports_.report_serving(import_.account());
        case Action::announce_reloading:
            return manager_.reloading(reports_.name() + " starts its successor");
        case Action::fall_silent:
            return supervision_.fall_silent();
        case Action::stop_accepting:
            return services_.stop_accepting();
        case Action::announce_restarting:
            return supervision_.announce_end(Ledger::End::Kind::restart);
        case Action::announce_stopping:
            return supervision_.announce_end(Ledger::End::Kind::stop);
        case Action::release_listeners:
            return listener_set_.release();
        case Action::retire_listeners:
            return retire_listeners();
        case Action::store_connections:
            return store_connections();
        case Action::drain_promptly:
            return drain_promptly();
        case Action::close_remaining:
            return close_remaining();
        case Action::end:
            return loop_.stop();
        case Action::say_ready:
        case Action::ask_for_promotion:
        case Action::pass_restart_to_predecessor:
        case Action::pass_stop_to_predecessor:
        case Action::drop_predecessor:
            return perform_on_predecessor(action);
        case Action::start_successor:
        case Action::end_successor:
        case Action::report_failed_handover:
        case Action::refuse_handover:
        case Action::pass_handover_on:
        case Action::pass_stop_on:
        case Action::say_go:
        case Action::report_handover:
        case Action::start_probation:
        case Action::move_connections:
        case Action::recall_connections:
        case Action::report_rollback:
        case Action::hand_main_pid:
        case Action::release_successor:
            return perform_on_successor(action);
    }
}

/// The part of perform() that is about the predecessor.
void Generation::Runner::perform_on_predecessor(Action action) {
    switch (action) {
        case Action::say_ready:
            return predecessor_->say_ready();
        case Action::ask_for_promotion:
            return predecessor_->say(Message::Type::promote_me);
        case Action::pass_restart_to_predecessor:
            return predecessor_->say(Message::Type::restarting);
        case Action::pass_stop_to_predecessor:
            return predecessor_->say(Message::Type::stopping);
        case Action::drop_predecessor:
            return drop_predecessor();
        default:
            return;
    }
}

void Generation::Runner::take_over() {
    auto& ledger = listener_set_.ledger();
    reports_.set_number(ledger.last_generation() + 1);
    ledger.set_last_generation(reports_.number());
}

/// From here on nobody takes the dropped ones back. Whoever got into their queues is still served.
void Generation::Runner::store_listeners() {
    listener_set_.store([this](const std::string& text) { reports_.warn(text); });
    services_.detach(listener_set_.dropped(), listener_set_.listeners());
    listener_set_.close_dropped();
}

void Generation::Runner::adopt_stored_connections() {
    for (const auto& channel : listener_set_.take_stored_channels()) import_.take_all(channel);
    listener_set_.forget_stored_channels();
    note_state();  // before READY=1: whoever waits for that may ask
}

void Generation::Runner::retire_listeners() {
    if (supervision_.is_main())
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

void Generation::Runner::store_connections() {
    drain_deadline_.start();
    export_.store(hello(), options_.prompt_idle_grace);
    // The same restart may have ended a successor that had not read our `go`.
    if (handover_ && handover_->has_successor() && handover_->successor().has_ended())
        export_.keep(handover_->successor().take_unread());
}

void Generation::Runner::drain_promptly() {
    drain_deadline_.start();
    export_.drain(options_.prompt_idle_grace);
}

void Generation::Runner::close_remaining() {
    drain_deadline_.cut(export_.cut());
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
        reports_.number() != 0 ? reports_.number() : listener_set_.ledger().last_generation() + 1;
    Message message;
    message.type = Message::Type::hello;
    message.fields = {{Message::Tag::protocol, std::to_string(protocol_version)},
                      {Message::Tag::generation, std::to_string(number)},
                      {Message::Tag::version, options_.version},
                      {Message::Tag::build_id, reports_.build_id()}};
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
