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
    Worker& worker = workers_.emplace_back();
    ++total_;  // first: the new thread may be done with its first request before we are here again
    ++waiting_;
    try {
        worker.thread_ = std::thread([this, &worker] { run(worker); });
        creation_failed_ = false;
        return true;
    } catch (const std::system_error& error) {
        --total_;
        --waiting_;
        workers_.pop_back();
        if (!std::exchange(creation_failed_, true))
            callbacks_.error("cannot start another thread to answer requests, going on with " +
                             std::to_string(total_) + ": " + error.what());
        return false;
    }
}

void Workers::run(Worker& worker) {
    ::pthread_setname_np(::pthread_self(), "http-worker");
    worker.state_.emplace();
    callbacks_.body(worker);
}

bool Workers::stay(Worker& worker, bool was_stuck) {
    const std::lock_guard lock(mutex_);
    if (was_stuck) --stuck_;
    if (total_ - stuck_ <= base_) return true;
    --total_;
    // Enough that are not stuck; but the others may all be busy, and stuck before long.
    if (waiting_.fetch_sub(1) == 1) callbacks_.watch();
    const auto self = std::find_if(workers_.begin(), workers_.end(),
                                   [&](const Worker& other) { return &other == &worker; });
    if (self != workers_.end())
        left_.splice(left_.end(), workers_, self);  // else join() has it already
    return false;
}

bool Workers::need_watching() {
    if (waiting_.load() <= 0) return true;
    const std::lock_guard lock(mutex_);
    return std::any_of(workers_.begin(), workers_.end(),
                       [](Worker& worker) { return !worker.events.empty(); });
}

void Workers::balance() {
    std::vector<epoll_event> behind;
    {
        const std::lock_guard lock(mutex_);
        const auto limit = Clock::now() - stuck_after;
        find_stuck(limit);
        replace_stuck();
        for (Worker& worker : workers_) {
            const auto rest = worker.events.take_rest(limit);
            behind.insert(behind.end(), rest.begin(), rest.end());
        }
    }
    for (const auto& event : behind) callbacks_.give_back(event);
}

void Workers::find_stuck(Clock::time_point since_when) {
    const std::int64_t limit = since_when.time_since_epoch().count();
    for (Worker& worker : workers_) {
        std::int64_t since = worker.busy_since_.load();
        if (since == 0 || (since & 1) != 0 || since > limit) continue;
        if (wants_a_processor(worker, since)) continue;
        // Fails if the worker has moved on this very moment. Else end() waits for our mutex.
        if (worker.busy_since_.compare_exchange_strong(since, since | 1)) ++stuck_;
    }
}

/// And has not had one for long enough to be stuck, as far as has been seen.
bool Workers::wants_a_processor(Worker& worker, std::int64_t busy_since) {
    const auto starved_since = (Clock::now() - starved_after).time_since_epoch().count();
    if (busy_since <= starved_since || !worker.state_ || !worker.state_->runnable()) return false;
    const auto time = worker.state_->processor_time();
    if (std::exchange(worker.computes_since_, busy_since) != busy_since)
        worker.processor_time_ = time;
    return time - worker.processor_time_ < stuck_after;
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
    return !workers_.empty() &&
           std::all_of(workers_.begin(), workers_.end(), [limit](const Worker& worker) {
               const std::int64_t since = worker.busy_since_.load();
               return since != 0 && since <= limit;
           });
}

void Workers::reap() {
    std::list<Worker> ended;
    {
        const std::lock_guard lock(mutex_);
        ended.swap(left_);
    }
    for (Worker& worker : ended) worker.thread_.join();
}

void Workers::join() {
    std::list<Worker> all;
    {
        const std::lock_guard lock(mutex_);
        all.splice(all.end(), workers_);
        all.splice(all.end(), left_);
    }
    for (Worker& worker : all) worker.thread_.join();
}

}  // namespace handover::http
