// SPDX-License-Identifier: MIT
#include "http/workers.h"

#include "handover/error.h"

#include <pthread.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace handover::http {
namespace {

constexpr std::chrono::milliseconds stuck_after{5};
/// Whoever has waited this long for a processor does not get one: its priority or affinity may be
/// its own, and a further thread has another chance.
constexpr std::chrono::milliseconds starved_after{100};

}  // namespace

Workers::Workers(std::size_t base, std::size_t threads_max, Callbacks callbacks)
    : base_(static_cast<std::ptrdiff_t>(base)),
      threads_max_(static_cast<std::ptrdiff_t>(std::max(base, threads_max))),
      callbacks_(std::move(callbacks)) {}

void Workers::start() {
    const std::lock_guard lock(mutex_);
    while (total_ < base_ && add_thread()) continue;
    if (total_ == 0)
        throw Error(Error::Kind::os, "cannot start a single thread to answer requests");
}

bool Workers::add_thread() {
    Seat& seat = seats_.emplace_back();
    ++total_;  // first: the new thread may be done with its first request before we are here again
    ++waiting_;
    try {
        seat.thread_ = std::thread([this, &seat] { run(seat); });
        creation_failed_ = false;
        return true;
    } catch (const std::system_error& error) {
        --total_;
        --waiting_;
        seats_.pop_back();
        if (!std::exchange(creation_failed_, true))
            callbacks_.error("cannot start another thread to answer requests, going on with " +
                             std::to_string(total_) + ": " + error.what());
        return false;
    }
}

void Workers::run(Seat& seat) {
    ::pthread_setname_np(::pthread_self(), "http-worker");
    seat.state_.emplace();
    callbacks_.body(seat);
}

bool Workers::stay(Seat& seat, bool was_stuck) {
    const std::lock_guard lock(mutex_);
    if (was_stuck) --stuck_;
    if (total_ - stuck_ <= base_) return true;
    --total_;
    // Enough that are not stuck; but the others may all be busy, and stuck before long.
    if (waiting_.fetch_sub(1) == 1) callbacks_.watch();
    const auto self = std::find_if(seats_.begin(), seats_.end(),
                                   [&](const Seat& other) { return &other == &seat; });
    if (self != seats_.end())
        left_.splice(left_.end(), seats_, self);  // else join() has it already
    return false;
}

bool Workers::need_watching() {
    if (waiting_.load() <= 0) return true;
    const std::lock_guard lock(mutex_);
    return std::any_of(seats_.begin(), seats_.end(),
                       [](Seat& seat) { return !seat.events.empty(); });
}

void Workers::balance() {
    std::vector<epoll_event> behind;
    {
        const std::lock_guard lock(mutex_);
        const auto limit = Clock::now() - stuck_after;
        find_stuck(limit);
        replace_stuck();
        for (Seat& seat : seats_) {
            const auto rest = seat.events.take_rest(limit);
            behind.insert(behind.end(), rest.begin(), rest.end());
        }
    }
    for (const auto& event : behind) callbacks_.give_back(event);
}

void Workers::find_stuck(Clock::time_point since_when) {
    const std::int64_t limit = since_when.time_since_epoch().count();
    for (Seat& seat : seats_) {
        std::int64_t since = seat.busy_since_.load();
        if (since == 0 || (since & 1) != 0 || since > limit) continue;
        if (wants_a_processor(seat, since)) continue;
        // Fails if the worker has moved on this very moment. Else end() waits for our mutex.
        if (seat.busy_since_.compare_exchange_strong(since, since | 1)) ++stuck_;
    }
}

/// And has not had one for long enough to be stuck, as far as has been seen.
bool Workers::wants_a_processor(Seat& seat, std::int64_t busy_since) {
    const auto starved_since = (Clock::now() - starved_after).time_since_epoch().count();
    if (busy_since <= starved_since || !seat.state_ || !seat.state_->runnable()) return false;
    const auto time = seat.state_->processor_time();
    if (std::exchange(seat.computes_since_, busy_since) != busy_since) seat.processor_time_ = time;
    return time - seat.processor_time_ < stuck_after;
}

void Workers::replace_stuck() {
    const std::ptrdiff_t missing = base_ - (total_ - stuck_);
    if (missing <= 0) {
        if (waiting_.load() > 0) burst_ = 1;
        return;
    }
    // A hundred requests that all block, or compute, must not be let in two by two.
    const std::ptrdiff_t wanted = std::min(missing * burst_, threads_max_ - total_);
    burst_ = std::min<std::ptrdiff_t>(burst_ * 2, 64);
    for (std::ptrdiff_t i = 0; i < wanted && add_thread(); ++i) continue;
}

bool Workers::all_stuck_for(std::chrono::milliseconds time) {
    const std::lock_guard lock(mutex_);
    const std::int64_t limit = (Clock::now() - time).time_since_epoch().count();
    return !seats_.empty() && std::all_of(seats_.begin(), seats_.end(), [limit](const Seat& seat) {
        const std::int64_t since = seat.busy_since_.load();
        return since != 0 && since <= limit;
    });
}

void Workers::reap() {
    std::list<Seat> leaving;
    {
        const std::lock_guard lock(mutex_);
        leaving.swap(left_);
    }
    for (Seat& seat : leaving) seat.thread_.join();
}

void Workers::join() {
    std::list<Seat> all;
    {
        const std::lock_guard lock(mutex_);
        all.splice(all.end(), seats_);
        all.splice(all.end(), left_);
    }
    for (Seat& seat : all) seat.thread_.join();
}

}  // namespace handover::http
