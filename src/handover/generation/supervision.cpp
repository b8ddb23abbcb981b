// SPDX-License-Identifier: MIT
// What a generation owes to whoever supervises it, a service manager or less.
#include "handover/base/text.h"
#include "handover/error.h"
#include "handover/generation/backoff.h"
#include "handover/generation/runner.h"

#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>

namespace handover {
namespace {

using std::chrono::milliseconds;

/// While somebody waits for our end, its timeout is renewed this often, and by a multiple.
constexpr milliseconds countdown_interval{1'000};
constexpr int countdown_margin = 5;

}  // namespace

using lifecycle::Event;
using lifecycle::State;

// ---- a service manager

void Generation::Runner::announce_ready() {
    main_ = !orphaned_;
    count_start();
    listener_set_.ledger().set_main_pid(::getpid());
    // Until we have ended in order, or are established.
    listener_set_.ledger().set_crashes(listener_set_.ledger().crashes() + 1);
    established_.start_once(established_after);
    if (!Anchor::follow(listener_set_.ledger())) {
        report(Severity::warning, "the process that the supervisor watches is gone: " + name() +
                                      " makes room for what it starts next");
        handle(Event::stop_requested);
    }
    manager_.ready(serving_sentence());
    if (const auto interval = manager_.watchdog_interval()) watchdog_.start_every(*interval);
}

/// What our predecessor does not count: how we came out of the fd store. As long as we are main,
/// the next one would come from a crash of ours.
void Generation::Runner::count_start() {
    auto& ledger = listener_set_.ledger();
    const auto last = ledger.last_end();
    if (main_) ledger.set_last_end({});
    if (started_by_predecessor_) return;
    if (number_ == 1 || last.kind != Ledger::End::Kind::restart) recorder_.came_up(std::nullopt);
    if (number_ == 1 || last.kind == Ledger::End::Kind::stop) return;
    const bool crashed = last.kind == Ledger::End::Kind::crash;
    kind_ = crashed ? HandoverKind::crash : HandoverKind::restart;
    const auto counters = ledger.handover_counters();
    counters.count(*kind_, HandoverOutcome::ok);
    if (crashed) return;
    // The ledger may say anything.
    const auto now = std::chrono::steady_clock::now();
    const auto gap = now - std::clamp(last.when, decltype(now){}, now);
    counters.restarts().add(gap);
    recorder_.came_up(std::chrono::duration_cast<milliseconds>(gap));
}

/// That we are here shows that the loop turns; whether anybody is served, the services know. Told
/// once, for the manager is about to end us.
void Generation::Runner::feed_watchdog() {
    const auto interval = manager_.watchdog_interval();
    if (!interval) return;
    const auto time = std::chrono::duration_cast<milliseconds>(*interval);
    const bool was_responsive = std::exchange(responsive_, services_.is_responsive(time));
    if (responsive_) return manager_.watchdog();
    if (was_responsive)
        report(Severity::error, name() + " has not been able to begin a request for " +
                                    seconds(time) + ": the watchdog is not fed any more");
}

void Generation::Runner::fall_silent() {
    main_ = false;
    manager_.fall_silent();
    watchdog_.stop();
    established_.stop();
}

void Generation::Runner::announce_end(const std::string& what) {
    const auto sentence =
        name() + " " + what + ": " + plural(services_.counts().open(), "connection") + " open";
    if (state_ == State::stopping)
        manager_.stopping(sentence);
    else
        manager_.status(sentence);
    if (main_) {
        const bool restarts = state_ == State::restarting;
        listener_set_.ledger().set_crashes(0);
        listener_set_.ledger().set_last_end(
            {restarts ? Ledger::End::Kind::restart : Ledger::End::Kind::stop,
             std::chrono::steady_clock::now()});
    }
    report(
        {.event = state_ == State::stopping ? Report::Event::stopping : Report::Event::restarting,
         .text = sentence});
    countdown_.start_every(countdown_interval);
}

void Generation::Runner::count_down() {
    const auto left =
        std::chrono::duration_cast<milliseconds>(deadline_ - std::chrono::steady_clock::now());
    manager_.extend_timeout(countdown_interval * countdown_margin);
    manager_.status(name() + " finishes " + plural(services_.counts().open(), "connection") + ", " +
                    seconds(left) + " left");
}

// ---- one that starts us again and again

void Generation::Runner::back_off(std::uint64_t crashes) {
    const auto wait = backoff_after(crashes);
    const auto sentence = "the last " + plural(crashes, "generation") +
                          " crashed soon after the start: this one waits " + seconds(wait) +
                          " before it serves";
    report(Severity::error, sentence);
    manager_.status(sentence);
    backoff_.start_once(wait);
}

// ---- one that watches the process which it started, and no other

/// PID 1 is never a child of the service manager that is told MAINPID=.
void Generation::Runner::become_anchor() {
    if (predecessor_) return;
    listener_set_.ledger().set_anchor_pid(0);  // whatever there was before a restart
    const bool is_init = ::getpid() == 1;
    if (!options_.anchor && !is_init) return;
    if (manager_.present() && !is_init)
        return warn_(
            "no anchor is needed: there is a service manager (NOTIFY_SOCKET) that follows "
            "the main process");
    anchor_.emplace(listener_set_.ledger());
}

/// The listeners and connections are others' by now, and so is the service.
int Generation::Runner::stay() {
    if (!options_.anchor_command.empty()) try {
            anchor_->exec(options_.anchor_command);
        } catch (const Error& error) {
            warn_(error.what());
        }
    return anchor_->wait(options_.drain_timeout,
                         [this](const std::string& text) { report(Severity::error, text); });
}

}  // namespace handover
