// SPDX-License-Identifier: MIT
#include "handover/generation/supervision.h"

#include "handover/base/text.h"
#include "handover/error.h"
#include "handover/generation/backoff.h"

#include <unistd.h>

#include <utility>

namespace handover {
namespace {

using std::chrono::milliseconds;

/// While somebody waits for our end, its timeout is renewed this often, and by a multiple.
constexpr milliseconds countdown_interval{1'000};
constexpr int countdown_margin = 5;

}  // namespace

Supervision::Supervision(EventLoop& loop, const Borrowed& borrowed, Callbacks callbacks)
    : options_(borrowed.options),
      manager_(borrowed.manager),
      ledger_(borrowed.ledger),
      services_(borrowed.services),
      deadline_(borrowed.deadline),
      reports_(borrowed.reports),
      callbacks_(std::move(callbacks)),
      backoff_(loop, [this] { callbacks_.on_backed_off(); }),
      established_(loop, [this] { ledger_.set_crashes(0); }),
      watchdog_(loop, [this] { feed_watchdog(); }),
      countdown_(loop, [this] { count_down(); }) {}

// ---- a service manager

void Supervision::announce_ready() {
    is_main_ = !is_orphaned_;
    const auto last = ledger_.last_end();
    // As long as we are main, the next one would come from a crash of ours.
    if (is_main_) ledger_.set_last_end({});
    reports_.count_start(last);
    ledger_.set_main_pid(::getpid());
    // Until we have ended in order, or are established.
    ledger_.set_crashes(ledger_.crashes() + 1);
    established_.start_once(established_after);
    if (!AnchorProcess::follow(ledger_)) {
        reports_.warn("the process that the supervisor watches is gone: " + reports_.name() +
                      " makes room for what it starts next");
        callbacks_.on_anchor_lost();
    }
    manager_.ready(reports_.serving_sentence());
    if (const auto interval = manager_.watchdog_interval()) watchdog_.start_every(*interval);
}

/// That we are here shows that the loop turns; whether anybody is served, the services know. Told
/// once, for the manager is about to end us.
void Supervision::feed_watchdog() {
    const auto interval = manager_.watchdog_interval();
    if (!interval) return;
    const auto time = std::chrono::duration_cast<milliseconds>(*interval);
    const bool was_responsive = std::exchange(is_responsive_, services_.is_responsive(time));
    if (is_responsive_) return manager_.watchdog();
    if (was_responsive)
        reports_.report(Report::Severity::error,
                        reports_.name() + " has not been able to begin a request for " +
                            seconds(time) + ": the watchdog is not fed any more");
}

void Supervision::fall_silent() {
    is_main_ = false;
    manager_.fall_silent();
    watchdog_.stop();
    established_.stop();
}

void Supervision::announce_end(Ledger::End::Kind kind) {
    const bool restarts = kind == Ledger::End::Kind::restart;
    const auto sentence = reports_.name() + (restarts ? " leaves for a restart" : " stops") + ": " +
                          plural(services_.counts().open(), "connection") + " open";
    if (restarts)
        manager_.status(sentence);
    else
        manager_.stopping(sentence);
    if (is_main_) {
        ledger_.set_crashes(0);
        ledger_.set_last_end({kind, std::chrono::steady_clock::now()});
    }
    reports_.report({.event = restarts ? Report::Event::restarting : Report::Event::stopping,
                     .text = sentence});
    countdown_.start_every(countdown_interval);
}

void Supervision::count_down() {
    manager_.extend_timeout(countdown_interval * countdown_margin);
    manager_.status(reports_.name() + " finishes " +
                    plural(services_.counts().open(), "connection") + ", " +
                    seconds(deadline_.left()) + " left");
}

bool Supervision::lose_predecessor() {
    is_orphaned_ = manager_.present() && ledger_.anchor_pid() == 0;
    if (is_orphaned_) manager_.fall_silent();
    return is_orphaned_;
}

// ---- the successor

void Supervision::set_main_process(pid_t pid) {
    AnchorProcess::set_main_process(ledger_, pid);
}

void Supervision::hand_main_pid(pid_t pid, const std::string& status) {
    set_main_process(pid);
    ledger_.set_crashes(0);
    manager_.hand_main_pid(pid, status);
}

// ---- one that starts us again and again

bool Supervision::back_off() {
    const auto crashes = ledger_.crashes();
    const auto wait = backoff_after(crashes);
    if (wait == milliseconds(0)) return false;
    const auto sentence = "the last " + plural(crashes, "generation") +
                          " crashed soon after the start: this one waits " + seconds(wait) +
                          " before it serves";
    reports_.report(Report::Severity::error, sentence);
    manager_.status(sentence);
    backoff_.start_once(wait);
    return true;
}

// ---- one that watches the process which it started, and no other

/// PID 1 is never a child of the service manager that is told MAINPID=.
void Supervision::become_anchor() {
    ledger_.set_anchor_pid(0);  // whatever there was before a restart
    const bool is_init = ::getpid() == 1;
    if (!options_.anchor && !is_init) return;
    if (manager_.present() && !is_init)
        return reports_.warn(
            "no anchor is needed: there is a service manager (NOTIFY_SOCKET) that follows "
            "the main process");
    anchor_.emplace(ledger_);
}

bool Supervision::returns_signal(int signal_number, pid_t sender) const {
    return AnchorProcess::returns_signal(ledger_, signal_number, sender);
}

int Supervision::stay() {
    if (!options_.anchor_command.empty()) try {
            anchor_->exec(options_.anchor_command);
        } catch (const Error& error) {
            reports_.warn(error.what());
        }
    return anchor_->wait(options_.drain_timeout, [this](const std::string& text) {
        reports_.report(Report::Severity::error, text);
    });
}

}  // namespace handover
