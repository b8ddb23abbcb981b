// SPDX-License-Identifier: MIT
#pragma once

#include "handover/unique_fd.h"

#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace handover {

/// epoll with callbacks, for one thread. Level-triggered: a callback that leaves something unread
/// is called again. Descriptors are borrowed and must be forgotten before they are closed, for a
/// twin in another process would keep the registration alive (epoll(7), Q6).
class EventLoop {
  public:
    using Callback = std::function<void()>;

    /// Throws Error (os).
    EventLoop();

    /// Calls `callback` whenever `fd` is readable, or writable, or hung up. Throws Error (os).
    enum class When { readable, writable };
    void watch(int fd, Callback callback, When when = When::readable);
    /// Harmless for a descriptor that is not watched. A callback may forget itself and others.
    void forget(int fd);

    /// Runs `task` on the loop's thread, soon. The only thread-safe function here.
    void post(Callback task);

    /// Waits for events and calls back, until stop() is called by a callback.
    void run();
    void stop() noexcept { stopped_ = true; }

  private:
    void run_posted();

    UniqueFd epoll_;
    UniqueFd wakeup_;
    struct Registration {
        std::uint32_t number;  ///< tells it from an earlier one of the same descriptor number
        std::shared_ptr<Callback> callback;
    };
    std::map<int, Registration> registrations_;
    std::uint32_t last_number_ = 0;
    std::mutex mutex_;  ///< guards posted_
    std::vector<Callback> posted_;
    bool stopped_ = false;
};

/// A timerfd in a loop; the loop must outlive it. Nothing happens until it is started.
class Timer {
  public:
    Timer(EventLoop& loop, EventLoop::Callback callback);
    ~Timer();
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    /// Once, after `delay`; starting again replaces what was.
    void start_once(std::chrono::microseconds delay);
    void start_every(std::chrono::microseconds interval);
    void stop();

  private:
    void set(std::chrono::microseconds first, std::chrono::microseconds interval);

    EventLoop& loop_;
    UniqueFd fd_;
};

/// Blocks signals in the calling thread, and so in threads made by it later, and delivers them to a
/// loop (signalfd(2)), with the process that sent it, or 0: the kernel did. The destructor leaves
/// them blocked: a late one must not kill the process while it ends. The loop must outlive it.
class Signals {
  public:
    Signals(EventLoop& loop, std::initializer_list<int> numbers,
            std::function<void(int number, pid_t sender)> callback);
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    /// When the loop has stopped: those that it has not delivered.
    void deliver_pending();

  private:
    bool deliver_one();

    EventLoop& loop_;
    std::function<void(int number, pid_t sender)> callback_;
    UniqueFd fd_;
};

}  // namespace handover
