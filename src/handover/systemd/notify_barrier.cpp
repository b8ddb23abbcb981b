// SPDX-License-Identifier: MIT
#include "handover/systemd/notify_barrier.h"

#include <chrono>
#include <utility>

namespace handover {
namespace {

constexpr std::chrono::seconds timeout{5};

}  // namespace

NotifyBarrier::NotifyBarrier(EventLoop& loop, const ServiceManager& manager)
    : loop_(loop),
      manager_(manager),
      timeout_(loop, [this] { conclude(barrier_ ? Outcome::late : Outcome::absent); }) {}

NotifyBarrier::~NotifyBarrier() {
    loop_.forget(barrier_.get());
}

void NotifyBarrier::begin(std::function<void(Outcome)> done) {
    done_ = std::move(done);
    barrier_ = manager_.barrier();
    if (!barrier_) return timeout_.start_once(std::chrono::microseconds(0));
    loop_.watch(barrier_.get(), [this] { conclude(Outcome::processed); });
    timeout_.start_once(timeout);
}

void NotifyBarrier::cancel() {
    timeout_.stop();
    loop_.forget(barrier_.get());
    barrier_.reset();
    done_ = nullptr;
}

void NotifyBarrier::conclude(Outcome outcome) {
    const auto done = std::move(done_);
    cancel();
    done(outcome);
}

}  // namespace handover
