// SPDX-License-Identifier: MIT
// What a generation says of itself: to whoever asks, and into the registry.
#include "handover/generation/runner.h"

#include <unistd.h>

#include <utility>

namespace handover {
namespace {

/// How old the counts may be that others see of a generation that drains.
constexpr std::chrono::milliseconds counting_interval{250};

}  // namespace

using lifecycle::Event;
using lifecycle::State;

void Generation::Runner::note_state() {
    // One that serves again after a rollback has no deadline, from the first moment.
    const bool drains = draining_ && role_of(state_) != Role::serving;
    recorder_.note(number_, state_, drains ? std::optional(deadline_) : std::nullopt);
    const std::lock_guard lock(mutex_);
    published_.state = lifecycle::to_string(state_);
    published_.role = role_of(state_).value_or(published_.role);
    published_.ready = lifecycle::is_ready(state_);
    published_.imported = import_.account();
    published_.listeners.clear();
    for (const auto& listener : listener_set_.listeners())
        published_.listeners.push_back({listener.name, listener.endpoint.to_string(),
                                        listener.inherited, listener_set_.source_of(listener)});
}

void Generation::Runner::begin_record() {
    const auto complaint =
        recorder_.begin(predecessor_ ? std::optional(predecessor_->generation()) : std::nullopt);
    if (complaint) warn_(*complaint);
}

/// Nobody asks the one that serves about itself by way of the ledger, so it need not count.
void Generation::Runner::tell_transition(State before, Event event) {
    recorder_.count(services_.counts());
    recorder_.tell_transition(before, event, state_);
    if (role_of(before) == role_of(state_)) return;
    if (role_of(state_) == Role::serving)
        counting_.stop();
    else
        counting_.start_every(counting_interval);
}

// ---- from other threads

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
    result.connections = services_.counts().open();
    result.fd_store_entries = listener_set_.fd_store_entries();
    return result;
}

History Generation::Runner::history() const {
    recorder_.count(services_.counts());
    return listener_set_.ledger().registry().read();
}

}  // namespace handover
