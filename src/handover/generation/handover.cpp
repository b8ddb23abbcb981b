// SPDX-License-Identifier: MIT
#include "handover/generation/handover.h"

#include <utility>

namespace handover {

Handover::Handover(EventLoop& loop, const ServiceManager& manager,
                   std::vector<Requester> requesters)
    : loop_(loop), manager_(manager), requesters_(std::move(requesters)) {}

void Handover::begin(Callbacks callbacks, const Program& program, std::vector<PassedFd> fds,
                     const Message& hello, std::chrono::milliseconds ready_timeout) {
    // All descriptors that it will need: after `go` there is no way to do without.
    barrier_.emplace(loop_, manager_);
    probation_.emplace(loop_, std::move(callbacks.on_probation_passed));
    successor_.emplace(loop_, std::move(callbacks.of_successor));
    successor_->begin(program, std::move(fds), hello, ready_timeout);
}

void Handover::await_manager(std::function<void()> done) {
    barrier_->begin([done = std::move(done)](NotifyBarrier::Outcome) { done(); });
}

void Handover::stop_waiting() {
    if (barrier_) barrier_->cancel();
    if (probation_) probation_->stop();
}

void Handover::answer(const HandoverResult& result) {
    for (const auto& requester : std::exchange(requesters_, {})) requester(result);
}

void Handover::close() {
    stop_waiting();
    if (successor_) successor_->close();
}

}  // namespace handover
