// SPDX-License-Identifier: MIT
#include "handover/generation/reports.h"

#include "handover/base/text.h"
#include "handover/build_id.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

namespace handover {
namespace {

/// How old the counts may be that others see of a generation that drains.
constexpr std::chrono::milliseconds counting_interval{250};

}  // namespace

using lifecycle::Event;
using lifecycle::State;

Reports::Reports(EventLoop& loop, const GenerationOptions& options, ListenerSet& listeners,
                 const ServiceGroup& services, bool started_by_predecessor)
    : options_(options),
      listeners_(listeners),
      services_(services),
      recorder_(listeners.ledger(), options.version),
      build_id_(handover::build_id()),
      started_by_predecessor_(started_by_predecessor),
      counting_(loop, [this] { recorder_.count(services_.counts()); }) {}

// ---- who tells

std::string Reports::name() const {
    return number_ != 0 ? "generation " + std::to_string(number_) : "the new generation";
}

std::string Reports::serving_sentence() const {
    std::string sentence = name() + " (pid " + std::to_string(::getpid()) + ") serves";
    const char* separator = " ";
    for (const auto& listener : listeners_.listeners()) {
        sentence += separator + listener.name + " on " + listener.endpoint.to_string();
        separator = ", ";
    }
    return sentence;
}

// ---- to the log

void Reports::report(Report what) {
    what.generation = number_;
    options_.report(what);
}

void Reports::report(Severity severity, const std::string& text) {
    report({.severity = severity, .text = text});
}

void Reports::report_serving(const ImportedConnections& imported) {
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
    for (const auto& listener : listeners_.listeners())
        what.listeners.push_back({listener.name, listener.endpoint.to_string()});
    report(std::move(what));
}

void Reports::report_promotion() {
    report({.severity = Severity::debug,
            .event = Report::Event::promoted,
            .text = name() + " is the main process: its probation is over",
            .kind = HandoverKind::reload,
            .result = HandoverOutcome::ok});
}

void Reports::report_handover(Report what, const HandoverResult& result) {
    what.text = result.to_string();
    what.from = result.from;
    what.to = result.to;
    report(std::move(what));
    const std::lock_guard lock(mutex_);
    published_.last_handover = result.to_string();
}

// ---- to the registry and the counters

void Reports::begin_record(std::optional<std::uint64_t> predecessor) {
    if (const auto complaint = recorder_.begin(predecessor)) warn(*complaint);
}

void Reports::count_start(const Ledger::End& last) {
    if (started_by_predecessor_) return;
    if (number_ == 1 || last.kind != Ledger::End::Kind::restart) recorder_.came_up(std::nullopt);
    if (number_ == 1 || last.kind == Ledger::End::Kind::stop) return;
    const bool crashed = last.kind == Ledger::End::Kind::crash;
    kind_ = crashed ? HandoverKind::crash : HandoverKind::restart;
    const auto counters = listeners_.ledger().handover_counters();
    counters.count(*kind_, HandoverOutcome::ok);
    if (crashed) return;
    // The ledger may say anything.
    const auto now = std::chrono::steady_clock::now();
    const auto gap = now - std::clamp(last.when, decltype(now){}, now);
    counters.restarts().add(gap);
    recorder_.came_up(std::chrono::duration_cast<std::chrono::milliseconds>(gap));
}

void Reports::count_succession() {
    listeners_.ledger().handover_counters().count(HandoverKind::crash, HandoverOutcome::ok);
    recorder_.succeeded_a_crash();
}

void Reports::count_handover(HandoverOutcome outcome, const std::string& reason) {
    listeners_.ledger().handover_counters().count(HandoverKind::reload, outcome);
    recorder_.handover_ends(outcome, reason);
}

/// Of one that never served, there is nothing that its predecessor does not tell.
void Reports::end(const ConnectionCounts& account, const std::string& why_cut,
                  bool stays_as_anchor) {
    recorder_.count(services_.counts());
    recorder_.end(account);
    Report what{.event = Report::Event::ended,
                .text = name() + " ended: " + account.to_sentence(),
                .account = account};
    if (number_ == 0) what.severity = Severity::debug;
    if (!why_cut.empty()) {
        what.severity = Severity::warning;
        what.text += "; " + why_cut;
        what.reason = why_cut;
    }
    if (stays_as_anchor)
        what.text += "; pid " + std::to_string(::getpid()) + " stays as the anchor";
    report(std::move(what));
}

// ---- of each transition

/// One that serves again after a rollback has no deadline, from the first moment.
void Reports::note_state(State state,
                         std::optional<std::chrono::steady_clock::time_point> drain_ends,
                         const ImportedConnections& imported) {
    if (role_of(state) == Role::serving) drain_ends.reset();
    recorder_.note(number_, state, drain_ends);
    const std::lock_guard lock(mutex_);
    published_.state = lifecycle::to_string(state);
    published_.role = role_of(state).value_or(published_.role);
    published_.ready = lifecycle::is_ready(state);
    published_.imported = imported;
    published_.listeners.clear();
    for (const auto& listener : listeners_.listeners())
        published_.listeners.push_back({listener.name, listener.endpoint.to_string(),
                                        listener.inherited, listeners_.source_of(listener)});
}

void Reports::report_transition(State before, Event event, State after) {
    if (before == after) return;
    report(Severity::debug, name() + ": " + std::string(lifecycle::to_string(event)) + ": " +
                                std::string(lifecycle::to_string(before)) + " -> " +
                                std::string(lifecycle::to_string(after)));
}

/// Nobody asks the one that serves about itself by way of the ledger, so it need not count.
void Reports::record_transition(State before, Event event, State after) {
    recorder_.count(services_.counts());
    recorder_.tell_transition(before, event, after);
    if (role_of(before) == role_of(after)) return;
    if (role_of(after) == Role::serving)
        counting_.stop();
    else
        counting_.start_every(counting_interval);
}

// ---- to whoever asks

GenerationStatus Reports::status() const {
    GenerationStatus result;
    {
        const std::lock_guard lock(mutex_);
        result = published_;
    }
    result.generation = number_;
    result.pid = ::getpid();
    result.version = options_.version;
    result.build_id = build_id_;
    result.connections = services_.counts().open();
    result.fd_store_entries = listeners_.fd_store_entries();
    return result;
}

History Reports::history() const {
    recorder_.count(services_.counts());
    return listeners_.ledger().registry().read();
}

}  // namespace handover
