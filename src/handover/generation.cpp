// SPDX-License-Identifier: MIT
#include "handover/generation.h"

#include "handover/generation/runner.h"
#include "handover/listeners/inherited_state.h"

#include <utility>

namespace handover {

Generation::Generation(Inheritance inheritance, GenerationOptions options)
    : runner_(std::make_unique<Runner>(std::move(*inheritance.state_), std::move(options))) {}
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

void Generation::await_end_of_probation(std::function<void()> done) {
    runner_->await_end_of_probation(std::move(done));
}

GenerationStatus Generation::status() const {
    return runner_->reports().status();
}

std::uint64_t Generation::number() const {
    return runner_->reports().number();
}

History Generation::history() const {
    return runner_->reports().history();
}

std::uint64_t Generation::last_event_id() const {
    return runner_->ledger().registry().event_log().last();
}

std::vector<ServiceEvent> Generation::wait_for_events(std::uint64_t after,
                                                      std::chrono::milliseconds timeout) const {
    return runner_->ledger().registry().event_log().await(after, timeout);
}

HandoverCounters Generation::handover_counters() const {
    return runner_->ledger().handover_counters();
}

std::span<Counter> Generation::program_counters() const {
    return runner_->ledger().program_counters();
}

}  // namespace handover
