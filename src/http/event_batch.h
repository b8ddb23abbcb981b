// SPDX-License-Identifier: MIT
#pragma once

#include "http/server_options.h"

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <mutex>
#include <optional>
#include <vector>

namespace handover::http {

/// Events that one worker has taken from epoll at once, because one system call for many is cheaper
/// than one for each. Who has just been slow gets one, and twice as many each time it is fast: what
/// lies behind a request that takes long would wait for it. Whom such a request surprises has the
/// rest taken away.
///
/// wait(), several() and next() are the worker's; the others are for any thread.
class EventBatch {
  public:
    /// Waits until there are some. False if there are none after all (EINTR). Borrows the epoll
    /// descriptor.
    bool wait(int epoll);
    /// Did it take more than one?
    [[nodiscard]] bool several() const { return taken_ > 1; }
    /// The next that nobody has looked at.
    std::optional<epoll_event> next();

    [[nodiscard]] bool empty();
    /// All that are left of a batch that began at this time or earlier.
    std::vector<epoll_event> take_rest(Clock::time_point since);

  private:
    void choose_size();

    static constexpr std::size_t size_max = 16;
    std::size_t size_ = 1;  ///< how many to take
    std::size_t taken_ = 0;
    std::array<epoll_event, size_max> events_{};
    std::mutex mutex_;
    Clock::time_point since_;  ///< when they were taken; written with mutex_ held
    std::size_t next_ = 0;     ///< with mutex_ held
    std::size_t end_ = 0;      ///< with mutex_ held
};

}  // namespace handover::http
