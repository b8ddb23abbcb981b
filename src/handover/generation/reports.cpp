// SPDX-License-Identifier: MIT
// What a generation has to tell.
#include "handover/base/text.h"
#include "handover/generation/runner.h"

#include <unistd.h>

#include <utility>

namespace handover {

using lifecycle::Event;
using lifecycle::State;

void Generation::Runner::report(Report what) {
    what.generation = number_;
    options_.report(what);
}

/// After a restart or crash it tells of the end of the one before, which could not or which nobody
/// will look for.
void Generation::Runner::report_serving() {
    const auto& imported = import_.account();
    std::string rest;
    if (kind_ == HandoverKind::crash) rest = "; the one before it crashed";
    if (kind_ == HandoverKind::restart && imported.adopted != 0)
        rest = "; it goes on with " + plural(imported.adopted, "connection") + " of generation " +
               std::to_string(imported.from);
    Report what{.event = Report::Event::serving,
                .text = serving_sentence() + rest,
                .to = number_,
                .pid = ::getpid(),
                .version = options_.version,
                .kind = kind_};
    if (kind_ && *kind_ != HandoverKind::reload) what.result = HandoverOutcome::ok;
    for (const auto& listener : listener_set_.listeners())
        what.listeners.push_back({listener.name, listener.endpoint.to_string()});
    report(std::move(what));
}

void Generation::Runner::report_promotion() {
    report({.severity = Severity::debug,
            .event = Report::Event::promoted,
            .text = name() + " is the main process: its probation is over",
            .kind = HandoverKind::reload,
            .result = HandoverOutcome::ok});
}

/// Of one that never served, there is nothing that its predecessor does not tell.
void Generation::Runner::report_end() {
    const auto counts = export_.counts();
    Report what{.event = Report::Event::ended,
                .text = name() + " ended: " + counts.to_sentence(),
                .account = counts};
    if (number_ == 0) what.severity = Severity::debug;
    if (!why_cut_.empty()) {
        what.severity = Severity::warning;
        what.text += "; " + why_cut_;
        what.reason = why_cut_;
    }
    if (anchor_ && anchor_->has_successor())
        what.text += "; pid " + std::to_string(::getpid()) + " stays as the anchor";
    report(std::move(what));
}

void Generation::Runner::debug_transition(State before, Event event) {
    if (before == state_) return;
    report(Severity::debug, name() + ": " + std::string(lifecycle::to_string(event)) + ": " +
                                std::string(lifecycle::to_string(before)) + " -> " +
                                std::string(lifecycle::to_string(state_)));
}

/// In the log, and to whoever asks for the status.
void Generation::Runner::tell(Report what, const HandoverResult& result) {
    what.text = result.to_string();
    what.from = result.from;
    what.to = result.to;
    report(std::move(what));
    const std::lock_guard lock(mutex_);
    published_.last_handover = result.to_string();
}

std::string Generation::Runner::serving_sentence() const {
    std::string sentence = name() + " (pid " + std::to_string(::getpid()) + ") serves";
    const char* separator = " ";
    for (const auto& listener : listener_set_.listeners()) {
        sentence += separator + listener.name + " on " + listener.endpoint.to_string();
        separator = ", ";
    }
    return sentence;
}

}  // namespace handover
