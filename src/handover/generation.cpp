// SPDX-License-Identifier: MIT
#include "handover/generation.h"

#include "handover/departures.h"
#include "handover/error.h"
#include "handover/event_loop.h"
#include "handover/handover_attempt.h"
#include "handover/holdings.h"
#include "handover/lifecycle.h"
#include "handover/predecessor_link.h"
#include "handover/service_group.h"
#include "handover/service_manager.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <deque>
#include <mutex>
#include <utility>

namespace handover {
namespace {

using lifecycle::Action;
using lifecycle::Event;
using lifecycle::State;
using std::chrono::milliseconds;
using Severity = GenerationOptions::Severity;

/// How long a service manager may take to process what it was sent. It is told nothing afterwards
/// that could do harm, so giving up is safe.
constexpr milliseconds manager_patience{5'000};
/// While somebody waits for our end, its patience is renewed this often, and by a multiple.
constexpr milliseconds countdown_interval{1'000};
constexpr int countdown_margin = 5;

std::string seconds(milliseconds duration) {
    return std::to_string((duration.count() + 999) / 1000) + " s";
}

std::string plural(std::size_t count, const std::string& noun) {
    return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace

/// Turns what happens into lifecycle events, and carries out the lifecycle's actions.
class Generation::Runner {
  public:
    Runner(Origin origin, GenerationOptions options);

    Exit run();
    void request_handover(std::function<void(const HandoverResult&)> done);
    GenerationStatus status() const;
    std::uint64_t number() const { return number_; }

    ServiceGroup& services() { return services_; }

  private:
    using Requester = std::function<void(const HandoverResult&)>;

    void start();
    [[nodiscard]] PredecessorLink::Callbacks predecessor_callbacks();
    void on_predecessor_lost();
    void on_predecessor_ended();
    void on_signal(int number);

    void handle(Event event);
    void perform(Action action);
    void note_state();

    // The actions, in the order of lifecycle::Action.
    void take_over();
    void adopt_stored_connections();
    void announce_ready();
    void start_successor();
    void end_successor();
    void report_failed_handover();
    void refuse_handover();
    void hand_main_pid();
    void report_handover();
    void announce_end(const std::string& what);
    void drop_predecessor();
    void retire_listeners();
    void move_connections();
    void close_remaining();

    [[nodiscard]] Message hello();
    [[nodiscard]] std::string serving_sentence() const;
    /// Before it serves, a generation has no number yet.
    [[nodiscard]] std::string name() const {
        return number_ != 0 ? "generation " + std::to_string(number_) : "the new generation";
    }
    void answer(std::vector<Requester>& requesters, const HandoverResult& result);
    void start_drain_timeout();
    void count_down();
    void wait_for_manager();
    void on_manager_informed();
    void report(Severity severity, const std::string& text) { options_.report(severity, text); }

    GenerationOptions options_;
    Program program_;
    std::vector<std::string> warnings_;
    const Holdings::Warn warn_ = [this](const std::string& text) {
        report(Severity::warning, text);
    };
    const std::string build_id_ = build_id();

    EventLoop loop_;
    ServiceManager manager_;
    Holdings holdings_;
    ServiceGroup services_{loop_};
    Arrivals arrivals_{services_, warn_};
    Departures departures_{loop_, services_, manager_, {[this] { handle(Event::drained); }, warn_}};
    std::optional<PredecessorLink> predecessor_;

    State state_ = State::starting;
    std::deque<Event> events_;  ///< one at a time: an action may cause the next
    bool handling_ = false;
    std::atomic<std::uint64_t> number_ = 0;
    std::size_t cut_ = 0;

    std::shared_ptr<HandoverAttempt> attempt_;
    std::string failure_;                ///< of the current attempt
    std::vector<Requester> requesters_;  ///< of the current attempt
    std::vector<Requester> newcomers_;   ///< not yet looked at by the lifecycle
    UniqueFd barrier_;
    std::chrono::steady_clock::time_point deadline_;
    bool draining_ = false;
    bool orphaned_ = false;  ///< the next generation comes out of the fd store, not from us

    Signals signals_;
    Timer watchdog_;
    Timer manager_timeout_;
    Timer drain_timeout_;
    Timer countdown_;

    mutable std::mutex mutex_;  ///< guards published_
    GenerationStatus published_;
};

Generation::Runner::Runner(Origin origin, GenerationOptions options)
    : options_(std::move(options)),
      program_(std::move(origin.program)),
      warnings_(std::move(origin.warnings)),
      holdings_(origin, manager_),
      signals_(loop_, {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2},
               [this](int number) { on_signal(number); }),
      watchdog_(loop_, [this] { manager_.watchdog(); }),
      manager_timeout_(loop_, [this] { on_manager_informed(); }),
      drain_timeout_(loop_, [this] { handle(Event::deadline_passed); }),
      countdown_(loop_, [this] { count_down(); }) {
    if (origin.predecessor)
        predecessor_.emplace(loop_, std::move(*origin.predecessor), predecessor_callbacks());
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
    report(Severity::info, name() + " ended: " + departures_.tally().to_sentence());
    return {0, cut_};
}

void Generation::Runner::start() {
    if (predecessor_) predecessor_->greet(hello());
    for (const auto& warning : warnings_) warn_(warning);
    holdings_.assemble(services_.wanted(), warn_);
    handle(predecessor_ ? Event::started_by_predecessor : Event::started);
}

PredecessorLink::Callbacks Generation::Runner::predecessor_callbacks() {
    return {[this] {
                arrivals_.begin(predecessor_->generation(), "reload");
                departures_.expect_arrivals(true);
                handle(Event::go);
            },
            [this] { on_predecessor_lost(); },
            [this](Message message) {
                arrivals_.take(std::move(message));
                note_state();
            },
            [this] {
                arrivals_.take_unreadable();
                note_state();
            },
            [this] { on_predecessor_ended(); }};
}

/// With a service manager, we have not become the main process, and the old one's death makes the
/// manager end us and start anew from the fd store. So we serve until then, but own nothing.
void Generation::Runner::on_predecessor_lost() {
    orphaned_ = manager_.present();
    manager_.fall_silent();
    handle(Event::predecessor_lost);
}

void Generation::Runner::on_predecessor_ended() {
    loop_.post([this] { predecessor_.reset(); });  // we are inside it
    departures_.expect_arrivals(false);
}

void Generation::Runner::on_signal(int number) {
    switch (number) {
        case SIGHUP:
        case SIGUSR2:
            newcomers_.emplace_back([](const HandoverResult&) {});
            return handle(Event::handover_requested);
        case SIGUSR1:
            return handle(Event::restart_requested);
        case SIGTERM:
            return handle(Event::stop_requested);
        default:
            return handle(Event::interrupted);
    }
}

// ---- the lifecycle

void Generation::Runner::handle(Event event) {
    events_.push_back(event);
    if (std::exchange(handling_, true)) return;
    while (!events_.empty()) {
        const auto transition = lifecycle::step(state_, events_.front());
        events_.pop_front();
        state_ = transition.next;
        note_state();  // before the first request can ask for it, and again with what has changed
        for (const Action action : transition.actions) perform(action);
        note_state();
    }
    handling_ = false;
}

void Generation::Runner::perform(Action action) {
    switch (action) {
        case Action::take_over:
            return take_over();
        case Action::store_listeners:
            return holdings_.store(warn_);
        case Action::start_accepting:
            return services_.start_accepting(holdings_.listeners());
        case Action::adopt_stored_connections:
            return adopt_stored_connections();
        case Action::announce_ready:
            return announce_ready();
        case Action::say_ready:
            return predecessor_->say_ready();
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
        case Action::hand_main_pid:
            return hand_main_pid();
        case Action::say_go:
            return void(attempt_->say_go());
        case Action::report_handover:
            return report_handover();
        case Action::stop_accepting:
            return services_.stop_accepting();
        case Action::announce_leaving:
            return announce_end("leaves for a restart");
        case Action::announce_stopping:
            return announce_end("stops");
        case Action::drop_predecessor:
            return drop_predecessor();
        case Action::release_listeners:
            return holdings_.release();
        case Action::retire_listeners:
            return retire_listeners();
        case Action::move_connections:
            return move_connections();
        case Action::store_connections:
            start_drain_timeout();
            return departures_.store(hello(), options_.prompt_idle_grace);
        case Action::drain_promptly:
            start_drain_timeout();
            return departures_.drain(options_.prompt_idle_grace);
        case Action::close_remaining:
            return close_remaining();
        case Action::end:
            return loop_.stop();
    }
}

void Generation::Runner::take_over() {
    number_ = holdings_.ledger().last_generation() + 1;
    holdings_.ledger().set_last_generation(number_);
    if (const auto interval = manager_.watchdog_interval()) watchdog_.start_every(*interval);
}

void Generation::Runner::adopt_stored_connections() {
    for (const auto& channel : holdings_.take_stored_channels()) arrivals_.take_all(channel);
    holdings_.forget_stored_channels();
    const auto& account = arrivals_.account();
    if (account.adopted != 0)
        report(Severity::info, name() + " went on with " + plural(account.adopted, "connection") +
                                   " of generation " + std::to_string(account.from));
    note_state();  // before READY=1: whoever waits for that may ask
}

void Generation::Runner::announce_ready() {
    manager_.ready(serving_sentence());
    report(Severity::info, serving_sentence());
}

void Generation::Runner::start_successor() {
    requesters_ = std::exchange(newcomers_, {});
    failure_.clear();
    attempt_ = std::make_shared<HandoverAttempt>(
        loop_, HandoverAttempt::Callbacks{[this] { handle(Event::successor_ready); },
                                          [this](const std::string& reason) {
                                              failure_ = reason;
                                              handle(Event::successor_failed);
                                          }});
    try {
        attempt_->begin(program_, holdings_.passed_fds(), hello(), options_.ready_timeout);
    } catch (const Error& error) {
        failure_ = error.what();
        handle(Event::successor_failed);
    }
}

void Generation::Runner::end_successor() {
    if (failure_.empty()) failure_ = name() + " was asked to end before the successor was ready";
    barrier_.reset();
    manager_timeout_.stop();
    attempt_->kill();
    // We may be inside one of its callbacks.
    loop_.post([ended = std::exchange(attempt_, nullptr)]() mutable { ended.reset(); });
}

void Generation::Runner::report_failed_handover() {
    HandoverResult result;
    result.from = number_;
    result.reason = "handover failed: " + failure_ + "; " + name() +
                    (state_ == State::serving ? " serves on" : " ends");
    manager_.ready(result.reason);
    report(Severity::error, result.reason);
    answer(requesters_, result);
}

void Generation::Runner::refuse_handover() {
    HandoverResult result;
    result.from = number_;
    result.reason = name() + " cannot hand over now: it is " +
                    std::string(lifecycle::to_string(state_)) +
                    (attempt_ ? " to pid " + std::to_string(attempt_->pid()) : "");
    report(Severity::warning, result.reason);
    answer(newcomers_, result);
}

void Generation::Runner::hand_main_pid() {
    attempt_->release();
    manager_.hand_main_pid(attempt_->pid(), "generation " +
                                                std::to_string(attempt_->peer().generation) +
                                                " takes over from " + std::to_string(number_));
    wait_for_manager();
}

void Generation::Runner::wait_for_manager() {
    barrier_ = manager_.barrier();
    if (!barrier_) return handle(Event::manager_informed);
    loop_.watch(barrier_.get(), [this] { on_manager_informed(); });
    manager_timeout_.start_once(manager_patience);
}

void Generation::Runner::on_manager_informed() {
    manager_timeout_.stop();
    loop_.forget(barrier_.get());
    barrier_.reset();
    handle(Event::manager_informed);
}

void Generation::Runner::report_handover() {
    const auto& peer = attempt_->peer();
    HandoverResult result;
    result.succeeded = true;
    result.from = number_;
    result.to = peer.generation;
    result.pid = attempt_->pid();
    result.version = peer.version;
    result.same_build = !build_id_.empty() && peer.build_id == build_id_;
    result.duration = attempt_->age();
    manager_.fall_silent();
    watchdog_.stop();
    report(Severity::info, result.to_string());
    answer(requesters_, result);
}

void Generation::Runner::announce_end(const std::string& what) {
    const auto sentence =
        name() + " " + what + ": " + plural(services_.tally().held(), "connection") + " open";
    if (state_ == State::stopping)
        manager_.stopping(sentence);
    else
        manager_.status(sentence);
    report(Severity::info, sentence);
    countdown_.start_every(countdown_interval);
}

void Generation::Runner::retire_listeners() {
    if (!orphaned_) holdings_.retire();
    services_.accept_queued_and_stop();
    holdings_.release();
}

/// What it has sent already is ours.
void Generation::Runner::drop_predecessor() {
    if (!predecessor_) return;
    predecessor_->read_all();
    loop_.post([this] { predecessor_.reset(); });
    departures_.expect_arrivals(false);
}

void Generation::Runner::start_drain_timeout() {
    if (std::exchange(draining_, true)) return;
    deadline_ = std::chrono::steady_clock::now() + options_.drain_timeout;
    drain_timeout_.start_once(options_.drain_timeout);
}

void Generation::Runner::move_connections() {
    start_drain_timeout();
    if (attempt_->peer().protocol >= 2)
        departures_.move_to(attempt_->take_channel(), options_.patient_idle_grace);
    else
        departures_.drain(options_.patient_idle_grace);
    // We may be inside one of its callbacks.
    loop_.post([ended = std::exchange(attempt_, nullptr)]() mutable { ended.reset(); });
}

void Generation::Runner::close_remaining() {
    cut_ = departures_.cut();
    if (cut_ != 0)
        report(Severity::warning, name() + " closed " + plural(cut_, "connection") +
                                      " that had not finished within the drain timeout of " +
                                      seconds(options_.drain_timeout));
}

// ---- what the actions need

void Generation::Runner::count_down() {
    const auto left =
        std::chrono::duration_cast<milliseconds>(deadline_ - std::chrono::steady_clock::now());
    manager_.extend_timeout(countdown_interval * countdown_margin);
    manager_.status(name() + " finishes " + plural(services_.tally().held(), "connection") + ", " +
                    seconds(left) + " left");
}

Message Generation::Runner::hello() {
    const auto number = number_ != 0 ? number_.load() : holdings_.ledger().last_generation() + 1;
    Message message;
    message.type = Message::Type::hello;
    message.fields = {{Message::Tag::protocol, std::to_string(protocol_version)},
                      {Message::Tag::generation, std::to_string(number)},
                      {Message::Tag::version, options_.version},
                      {Message::Tag::build_id, build_id_}};
    return message;
}

std::string Generation::Runner::serving_sentence() const {
    std::string sentence = name() + " (pid " + std::to_string(::getpid()) + ") serves";
    const char* separator = " ";
    for (const auto& listener : holdings_.listeners()) {
        sentence += separator + listener.name + " on " + listener.endpoint.to_string();
        separator = ", ";
    }
    return sentence;
}

void Generation::Runner::answer(std::vector<Requester>& requesters, const HandoverResult& result) {
    {
        const std::lock_guard lock(mutex_);
        published_.last_handover = result.to_string();
    }
    for (const auto& requester : std::exchange(requesters, {})) requester(result);
}

void Generation::Runner::note_state() {
    const std::lock_guard lock(mutex_);
    published_.state = lifecycle::to_string(state_);
    published_.arrivals = arrivals_.account();
    published_.listeners.clear();
    for (const auto& listener : holdings_.listeners())
        published_.listeners.push_back(
            {listener.name, listener.endpoint.to_string(), listener.inherited});
}

// ---- from other threads

void Generation::Runner::request_handover(Requester done) {
    loop_.post([this, done = std::move(done)] {
        newcomers_.push_back(done);
        handle(Event::handover_requested);
    });
}

GenerationStatus Generation::Runner::status() const {
    GenerationStatus result;
    {
        const std::lock_guard lock(mutex_);
        result = published_;
    }
    result.generation = number_;
    result.pid = ::getpid();
    result.version = options_.version;
    result.build_id = build_id_;
    result.connections = services_.tally().held();
    return result;
}

// ---- the public face

Generation::Generation(Origin origin, GenerationOptions options)
    : runner_(std::make_unique<Runner>(std::move(origin), std::move(options))) {}
Generation::~Generation() = default;

void Generation::serve(Service& service, std::vector<WantedListener> wanted) {
    runner_->services().add(service, std::move(wanted));
}

Generation::Exit Generation::run() {
    return runner_->run();
}

void Generation::request_handover(std::function<void(const HandoverResult&)> done) {
    runner_->request_handover(std::move(done));
}

GenerationStatus Generation::status() const {
    return runner_->status();
}

std::uint64_t Generation::number() const {
    return runner_->number();
}

}  // namespace handover
