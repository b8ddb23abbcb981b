// SPDX-License-Identifier: MIT
#pragma once

#include "http/event_batch.h"
#include "http/server_options.h"
#include "http/thread_state.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace handover::http {

/// As many threads as it takes to keep a few of them free of slow requests.
///
/// A worker that has been busy with one event for more than 5 ms is *stuck*. Not so, for 100 ms, if
/// all it wants is a processor: with more threads it would have to wait for longer. While all are
/// busy, or one has taken several events, the housekeeper calls balance() every 5 ms, which
/// replaces the stuck ones, and gives back what a worker has not come to in that time. A worker
/// that comes back and finds enough others leaves. So the number of threads is `base`, plus one for
/// each handler that blocks or computes.
///
/// Thread-safe. The threads inherit the signal mask of the thread that calls start().
class Workers {
  public:
    /// One thread's place. The body of the thread gets it and passes it back.
    class Worker {
        friend class Workers;
        /// Nanoseconds of Clock, even, since when it is busy; odd: and known to be stuck; 0: not.
        /// In a cache line of its own: written for each request.
        alignas(64) std::atomic<std::int64_t> busy_since_{0};
        std::optional<ThreadState> state_;            ///< since before it was busy first
        std::int64_t computes_since_ = 0;             ///< a busy_since_, seen with mutex_ held ...
        std::chrono::nanoseconds processor_time_{0};  ///< ... when it had had this much
        std::thread thread_;

      public:
        EventBatch events;
    };
    struct Callbacks {
        std::function<void(Worker&)> body;  ///< runs until it is told to leave
        std::function<void()> watch;        ///< from a worker: balance() is needed
        /// From balance(): what a worker had taken and has no time for.
        std::function<void(const epoll_event&)> give_back;
        std::function<void(const std::string&)> error;
    };

    Workers(std::size_t base, std::size_t threads_max, Callbacks callbacks);
    /// The bodies must have been told to return; joins all threads.
    ~Workers() { join(); }
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    /// Starts `base` threads; throws Error (os) if there is not one to be had.
    void start();

    /// A worker has a batch of events from now on.
    void begin(const Worker& worker) {
        if (waiting_.fetch_sub(1) == 1 || worker.events.several()) callbacks_.watch();
    }
    /// It has done with one, if any, and turns to the next.
    static void turn_to_next(Worker& worker) {
        auto since = worker.busy_since_.load(std::memory_order_relaxed);
        // Known to be stuck, it is so until end(), where that is counted.
        if ((since & 1) == 0)
            (void)worker.busy_since_.compare_exchange_strong(
                since, Clock::now().time_since_epoch().count() & ~std::int64_t{1});
    }
    /// It is done with all. False: there are enough others, leave.
    [[nodiscard]] bool end(Worker& worker) {
        const bool was_stuck = (worker.busy_since_.exchange(0) & 1) != 0;
        waiting_.fetch_add(1);
        return (!was_stuck && total_.load() - stuck_.load() <= base_) || stay(worker, was_stuck);
    }

    /// Are all of them busy, or is there one with events that it has not come to?
    [[nodiscard]] bool need_watching();
    /// Starts as many workers as are missing, and has given back what lies behind slow requests.
    void balance();
    /// Has every one of them been busy for longer than this? Then there are as many as there can
    /// be, and none comes back. Any thread.
    [[nodiscard]] bool all_stuck_for(std::chrono::milliseconds time);
    /// Joins the threads that have left.
    void reap();
    /// Joins all threads, once the bodies have been told to return.
    void join();

  private:
    bool stay(Worker& worker, bool was_stuck);
    void find_stuck(Clock::time_point since_when);                           ///< with mutex_ held
    static bool wants_a_processor(Worker& worker, std::int64_t busy_since);  ///< with mutex_ held
    void replace_stuck();                                                    ///< with mutex_ held
    bool add_thread();                                                       ///< with mutex_ held
    void run(Worker& worker);

    const std::ptrdiff_t base_;
    const std::ptrdiff_t threads_max_;
    const Callbacks callbacks_;
    std::atomic<std::ptrdiff_t> waiting_{0};  ///< not between begin() and end()
    std::atomic<std::ptrdiff_t> total_{0};    ///< written with mutex_ held
    std::atomic<std::ptrdiff_t> stuck_{0};    ///< written with mutex_ held
    std::mutex mutex_;
    std::ptrdiff_t burst_ = 1;  ///< doubles until one of those that were started has time
    bool creation_failed_ = false;
    std::list<Worker> workers_;
    std::list<Worker> left_;
};

}  // namespace handover::http
