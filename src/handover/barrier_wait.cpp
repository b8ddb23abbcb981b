// SPDX-License-Identifier: MIT
#include "handover/barrier_wait.h"

#include <chrono>
#include <utility>

namespace handover {
namespace {

constexpr std::chrono::seconds patience{5};

}  // namespace

BarrierWait::BarrierWait(EventLoop& loop, const ServiceManager& manager)
    : loop_(loop),
      manager_(manager),
      patience_(loop, [this] { conclude(barrier_ ? Outcome::late : Outcome::absent); }) {}

BarrierWait::~BarrierWait() {
    loop_.forget(barrier_.get());
}

void BarrierWait::begin(std::function<void(Outcome)> done) {
    done_ = std::move(done);
    barrier_ = manager_.barrier();
    if (!barrier_) return patience_.start_once(std::chrono::microseconds(0));
    loop_.watch(barrier_.get(), [this] { conclude(Outcome::processed); });
    patience_.start_once(patience);
}

void BarrierWait::cancel() {
    patience_.stop();
    loop_.forget(barrier_.get());
    barrier_.reset();
    done_ = nullptr;
}

void BarrierWait::conclude(Outcome outcome) {
    const auto done = std::move(done_);
    cancel();
    done(outcome);
}

}  // namespace handover
