// SPDX-License-Identifier: MIT
#include "handover/generation.h"

#include "handover/generation_runner.h"
#include "handover/inheritance.h"

#include <utility>

namespace handover {

Generation::Generation(Origin origin, GenerationOptions options)
    : runner_(std::make_unique<Runner>(std::move(*origin.found_), std::move(options))) {}
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
    return runner_->status();
}

std::uint64_t Generation::number() const {
    return runner_->number();
}

History Generation::history() const {
    return runner_->history();
}

std::uint64_t Generation::last_happening() const {
    return runner_->ledger().chronicle().happenings().last();
}

std::vector<Happening> Generation::await_happenings(std::uint64_t after,
                                                    std::chrono::milliseconds patience) const {
    return runner_->ledger().chronicle().happenings().await(after, patience);
}

HandoverTotals Generation::handover_totals() const {
    return runner_->ledger().handover_totals();
}

std::span<Total> Generation::program_totals() const {
    return runner_->ledger().program_totals();
}

}  // namespace handover
