// SPDX-License-Identifier: MIT
// What is seen from outside is tested with the whole engine, by blocked handlers.
#include "http/workers.h"

#include "handover/unique_fd.h"
#include "http/thread_state.h"
#include "support/processes.h"

#include <gtest/gtest.h>

#include <sched.h>
#include <sys/eventfd.h>

#include <atomic>
#include <functional>
#include <latch>
#include <optional>
#include <thread>
#include <vector>

namespace handover::http {
namespace {

using namespace std::chrono_literals;

/// One worker that is busy with this, whose replacements have nothing to do, and a housekeeper.
class OneWorker {
  public:
    explicit OneWorker(std::function<void()> work)
        : work_(std::move(work)),
          workers_(1, 8, {[this](Workers::Worker& worker) { be_busy(worker); }, [] {}, {}, {}}) {}

    /// Until it is done, or has been replaced.
    void watch() {
        workers_.start();
        EXPECT_TRUE(test::eventually([this] {
            workers_.balance();
            ++looks_;
            return done_ || was_replaced();
        }));
        workers_.join();
    }
    [[nodiscard]] bool was_replaced() const { return threads_ > 1; }
    /// How often the housekeeper has looked.
    [[nodiscard]] int looks() const { return looks_; }

  private:
    void be_busy(Workers::Worker& worker) {
        if (threads_++ > 0) return;
        workers_.begin(worker);
        Workers::turn_to_next(worker);
        work_();
        done_ = true;
        (void)workers_.end(worker);
    }

    const std::function<void()> work_;
    std::atomic<int> threads_{0};
    std::atomic<bool> done_{false};
    std::atomic<int> looks_{0};
    Workers workers_;
};

void compute_for(std::chrono::nanoseconds processor_time) {
    const ThreadState self;
    const auto end = self.processor_time() + processor_time;
    while (self.processor_time() < end) continue;
}

void stay_on(int processor) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    ASSERT_EQ(::sched_setaffinity(0, sizeof set, &set), 0);
}

TEST(Workers, are_replaced_when_they_compute_for_long) {
    OneWorker worker([] { compute_for(500ms); });
    worker.watch();
    EXPECT_TRUE(worker.was_replaced());
}

struct Starved {
    bool was_replaced = false;
    std::chrono::nanoseconds took{0};
    std::chrono::nanoseconds computed{0};
};

/// A worker that shares its processor with others, until the housekeeper has looked at it twice
/// after 10 ms.
Starved starve() {
    const int processor = ::sched_getcpu();
    std::atomic<bool> over{false};
    constexpr int count = 4;
    std::latch all_compete(count);
    std::vector<std::thread> competitors;
    competitors.reserve(count);
    for (int i = 0; i < count; ++i)
        competitors.emplace_back([&] {
            stay_on(processor);
            all_compete.count_down();
            while (!over) continue;
        });
    all_compete.wait();
    Starved result;
    std::optional<OneWorker> worker;
    worker.emplace([&] {
        stay_on(processor);
        const ThreadState self;
        const auto starve_until = [](const std::function<bool()>& condition) {
            while (!condition()) {
                compute_for(100us);
                ::sched_yield();
            }
        };
        const auto begin = Clock::now();
        starve_until([&] { return Clock::now() - begin > 10ms; });
        starve_until([&, before = worker->looks()] {
            return worker->looks() > before + 1 || worker->was_replaced();
        });
        result.took = Clock::now() - begin;
        result.computed = self.processor_time();
    });
    worker->watch();
    over = true;
    for (auto& competitor : competitors) competitor.join();
    result.was_replaced = worker->was_replaced();
    return result;
}

TEST(Workers, are_not_replaced_when_all_they_want_is_a_processor) {
    // On a busy machine it may have to wait for so long that it is to be replaced, or its
    // competitors have to.
    const auto deadline = Clock::now() + test::timeout;
    Starved worker;
    do worker = starve();
    while ((worker.took > 80ms || worker.computed > 5ms) && Clock::now() < deadline);
    EXPECT_LT(worker.took, 80ms);
    EXPECT_LT(worker.computed, 5ms);
    EXPECT_FALSE(worker.was_replaced);
}

TEST(Workers, are_to_be_watched_when_one_has_taken_several_events_though_others_are_free) {
    const UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
    std::vector<UniqueFd> ready;
    for (int i = 0; i < 2; ++i) {
        ready.emplace_back(::eventfd(1, EFD_CLOEXEC));
        epoll_event event{};
        event.events = EPOLLIN;
        ASSERT_EQ(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, ready.back().get(), &event), 0);
    }
    int watched = 0;
    Workers workers(2, 2, {[](Workers::Worker&) {}, [&] { ++watched; }, {}, {}});
    Workers::Worker worker;
    const auto take_batch = [&] {
        EXPECT_TRUE(worker.events.wait(epoll.get()));
        workers.begin(worker);
        while (worker.events.next()) continue;
        EXPECT_TRUE(workers.end(worker));
    };
    take_batch();
    EXPECT_EQ(watched, 0) << "of one event";
    for (int i = 0; i < 1000 && !worker.events.several(); ++i) take_batch();
    EXPECT_EQ(watched, 1);
}

}  // namespace
}  // namespace handover::http
