// SPDX-License-Identifier: MIT
#include "http/event_batch.h"

#include <algorithm>
#include <chrono>

namespace handover::http {
namespace {

/// Whose requests take longer, on average, saves nothing by taking several.
constexpr std::chrono::microseconds fast{50};

}  // namespace

void EventBatch::choose_size() {
    if (taken_ == 0) return;
    if (Clock::now() - since_ > taken_ * fast)
        size_ = 1;
    else if (taken_ == size_)
        size_ = std::min(size_ * 2, size_max);
}

bool EventBatch::wait(int epoll) {
    choose_size();
    // Nobody looks at events_ while the batch is empty.
    const int count = ::epoll_wait(epoll, events_.data(), static_cast<int>(size_), -1);
    taken_ = count > 0 ? static_cast<std::size_t>(count) : 0;
    const std::lock_guard lock(mutex_);
    since_ = Clock::now();
    next_ = 0;
    end_ = taken_;
    return taken_ > 0;
}

std::optional<epoll_event> EventBatch::next() {
    const std::lock_guard lock(mutex_);
    if (next_ == end_) return std::nullopt;
    return events_[next_++];
}

bool EventBatch::empty() {
    const std::lock_guard lock(mutex_);
    return next_ == end_;
}

std::vector<epoll_event> EventBatch::take_rest(Clock::time_point since) {
    const std::lock_guard lock(mutex_);
    if (since_ > since) return {};
    std::vector<epoll_event> rest(events_.begin() + static_cast<std::ptrdiff_t>(next_),
                                  events_.begin() + static_cast<std::ptrdiff_t>(end_));
    next_ = end_;
    return rest;
}

}  // namespace handover::http
