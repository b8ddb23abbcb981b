// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <chrono>
#include <ctime>

namespace handover::http {

/// What a thread of this process does, for others to ask. Thread-safe.
class ThreadState {
  public:
    /// Of the thread that calls.
    ThreadState();

    /// Is it on a processor, or would be if it had one? False when it sleeps, and when /proc does
    /// not tell (proc_pid_stat(5)).
    [[nodiscard]] bool runnable() const;
    /// The time that it has had a processor so far (pthread_getcpuclockid(3)); 0 after its end.
    [[nodiscard]] std::chrono::nanoseconds processor_time() const;

  private:
    pid_t tid_;
    clockid_t clock_ = CLOCK_MONOTONIC;
};

}  // namespace handover::http
