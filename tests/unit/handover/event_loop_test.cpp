// SPDX-License-Identifier: MIT
#include "handover/base/event_loop.h"

#include "handover/error.h"
#include "support/open_descriptors.h"
#include "unit/handover/test_loop.h"

#include <gtest/gtest.h>

#include <pthread.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace handover::test {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;

void write_byte(const Pipe& pipe) {
    EXPECT_EQ(::write(pipe.out.get(), "x", 1), 1);
}

void read_byte(const Pipe& pipe) {
    char byte = 0;
    EXPECT_EQ(::read(pipe.in.get(), &byte, 1), 1);
}

TEST(EventLoop, calls_back_when_there_is_something_to_read) {
    TestLoop loop;
    const Pipe pipe;
    unsigned called = 0;
    loop.watch(pipe.in.get(), [&] {
        read_byte(pipe);
        ++called;
        loop.stop();
    });
    write_byte(pipe);
    loop.run_to_the_end();
    EXPECT_EQ(called, 1U);
    loop.forget(pipe.in.get());
}

TEST(EventLoop, calls_back_again_as_long_as_something_is_left) {
    TestLoop loop;
    const Pipe pipe;
    unsigned called = 0;
    loop.watch(pipe.in.get(), [&] {
        if (++called == 3) loop.stop();
    });
    write_byte(pipe);
    loop.run_to_the_end();
    EXPECT_EQ(called, 3U);
    loop.forget(pipe.in.get());
}

TEST(EventLoop, calls_back_on_a_hangup) {
    TestLoop loop;
    Pipe pipe;
    loop.watch(pipe.in.get(), [&] { loop.stop(); });
    pipe.out.reset();
    loop.run_to_the_end();
    loop.forget(pipe.in.get());
}

TEST(EventLoop, names_the_descriptor_that_cannot_be_watched) {
    EventLoop loop;
    const UniqueFd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    try {
        loop.watch(file.get(), [] {});
        ADD_FAILURE() << "nothing thrown";
    } catch (const Error& error) {
        EXPECT_EQ(error.what(), "cannot watch descriptor " + std::to_string(file.get()) +
                                    ": Operation not permitted");
    }
}

TEST(EventLoop, forgets_a_stranger_without_a_word) {
    EventLoop loop;
    loop.forget(-1);
    loop.forget(12345);
}

TEST(EventLoop, lets_a_callback_forget_itself) {
    TestLoop loop;
    const Pipe pipe;
    // What the callback owns has to live until it returns.
    auto owned = std::make_shared<std::string>("alive");
    const std::weak_ptr<std::string> watching = owned;
    loop.watch(pipe.in.get(), [&loop, &pipe, &watching, mine = std::move(owned)] {
        loop.forget(pipe.in.get());
        EXPECT_FALSE(watching.expired());
        EXPECT_EQ(*mine, "alive");
        loop.post([&loop] { loop.stop(); });
    });
    write_byte(pipe);
    loop.run_to_the_end();
    EXPECT_TRUE(watching.expired()) << "and not longer";
}

TEST(EventLoop, lets_a_callback_forget_another_that_is_due) {
    TestLoop loop;
    const Pipe one;
    const Pipe other;
    unsigned called = 0;
    const auto forget_the_other = [&](const Pipe& mine, const Pipe& its) {
        return [&loop, &mine, &its, &called] {
            ++called;
            loop.forget(its.in.get());
            loop.forget(mine.in.get());
            loop.post([&loop] { loop.stop(); });
        };
    };
    loop.watch(one.in.get(), forget_the_other(one, other));
    loop.watch(other.in.get(), forget_the_other(other, one));
    write_byte(one);
    write_byte(other);
    loop.run_to_the_end();
    EXPECT_EQ(called, 1U);
}

// Both are due in one epoll_wait(2). The second is closed by the first, and its number used anew.
TEST(EventLoop, does_not_take_the_event_of_a_forgotten_descriptor_for_one_of_its_number) {
    TestLoop loop;
    const Pipe first;
    Pipe second;
    const Pipe quiet;
    bool misled = false;
    loop.watch(first.in.get(), [&] {
        loop.forget(first.in.get());
        const int number = second.in.get();
        loop.forget(number);
        EXPECT_EQ(::dup3(quiet.in.get(), number, O_CLOEXEC), number);
        loop.watch(number, [&misled] { misled = true; });
        loop.post([&loop] { loop.stop(); });
    });
    loop.watch(second.in.get(), [] {});
    write_byte(first);
    write_byte(second);
    loop.run_to_the_end();
    EXPECT_FALSE(misled) << "there is nothing to read";
    loop.forget(second.in.get());
}

TEST(EventLoop, watches_again_what_it_has_forgotten) {
    TestLoop loop;
    const Pipe pipe;
    loop.watch(pipe.in.get(), [] { ADD_FAILURE() << "forgotten"; });
    loop.forget(pipe.in.get());
    loop.watch(pipe.in.get(), [&] { loop.stop(); });
    write_byte(pipe);
    loop.run_to_the_end();
    loop.forget(pipe.in.get());
}

TEST(EventLoop, runs_what_another_thread_has_posted_on_its_own) {
    TestLoop loop;
    std::optional<std::thread::id> ran_on;
    std::thread poster([&loop, &ran_on] {
        loop.post([&loop, &ran_on] {
            ran_on = std::this_thread::get_id();
            loop.stop();
        });
    });
    loop.run_to_the_end();
    poster.join();
    EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST(EventLoop, runs_all_that_several_threads_post_and_each_threads_in_order) {
    constexpr unsigned each = 500;
    TestLoop loop;
    std::vector<unsigned> seen(4);
    unsigned left = 4 * each;
    std::vector<std::thread> posters;
    for (std::size_t poster = 0; poster < seen.size(); ++poster)
        posters.emplace_back([&, poster] {
            for (unsigned i = 0; i < each; ++i)
                loop.post([&, poster, i] {
                    EXPECT_EQ(seen[poster]++, i);
                    if (--left == 0) loop.stop();
                });
        });
    loop.run_to_the_end();
    for (auto& poster : posters) poster.join();
    EXPECT_EQ(left, 0U);
}

TEST(EventLoop, runs_what_a_task_posts) {
    TestLoop loop;
    loop.post([&loop] { loop.post([&loop] { loop.stop(); }); });
    loop.run_to_the_end();
}

TEST(EventLoop, calls_nobody_after_a_stop) {
    TestLoop loop;
    const Pipe one;
    const Pipe other;
    unsigned called = 0;
    for (const Pipe* pipe : {&one, &other}) {
        loop.watch(pipe->in.get(), [&] {
            ++called;
            loop.stop();
        });
        write_byte(*pipe);
    }
    loop.run_to_the_end();
    EXPECT_EQ(called, 1U);
}

TEST(EventLoop, leaves_no_descriptor_behind) {
    const auto before = open_descriptors();
    {
        EventLoop loop;
        const Timer timer(loop, [] {});
        for (const int fd : open_descriptors())
            EXPECT_TRUE(before.count(fd) != 0 || is_cloexec(fd));
    }
    EXPECT_EQ(open_descriptors(), before);
}

TEST(Timer, calls_back_once) {
    TestLoop loop;
    unsigned called = 0;
    Timer once(loop, [&] { ++called; });
    // Every tick of it comes after the one above: both count on the same clock.
    unsigned ticks = 0;
    Timer end(loop, [&] {
        if (++ticks == 3) loop.stop();
    });
    once.start_once(milliseconds(1));
    end.start_every(milliseconds(5));
    loop.run_to_the_end();
    EXPECT_EQ(called, 1U);
}

TEST(Timer, calls_back_at_once_after_no_time_at_all) {
    TestLoop loop;
    Timer timer(loop, [&] { loop.stop(); });
    timer.start_once(microseconds(0));
    loop.run_to_the_end();
}

TEST(Timer, calls_back_again_and_again) {
    TestLoop loop;
    unsigned called = 0;
    Timer timer(loop, [&] {
        if (++called == 3) loop.stop();
    });
    timer.start_every(milliseconds(1));
    loop.run_to_the_end();
    EXPECT_EQ(called, 3U);
}

TEST(Timer, does_nothing_until_it_is_started) {
    TestLoop loop;
    const Timer timer(loop, [] { ADD_FAILURE() << "nobody started it"; });
    Timer end(loop, [&] { loop.stop(); });
    end.start_once(milliseconds(5));
    loop.run_to_the_end();
}

TEST(Timer, forgets_the_old_delay_when_started_again) {
    TestLoop loop;
    Timer timer(loop, [&] { loop.stop(); });
    timer.start_once(hours(1));
    timer.start_once(milliseconds(1));
    loop.run_to_the_end();
}

TEST(Timer, can_be_stopped_even_when_it_is_due) {
    TestLoop loop;
    Timer stopped(loop, [] { ADD_FAILURE() << "was stopped"; });
    const Pipe pipe;
    loop.watch(pipe.in.get(), [&] {
        stopped.stop();
        loop.forget(pipe.in.get());
        loop.post([&loop] { loop.stop(); });
    });
    write_byte(pipe);  // ready before the timer, so called before it
    stopped.start_once(microseconds(1));
    loop.run_to_the_end();
}

TEST(Timer, may_destroy_itself_in_its_callback) {
    TestLoop loop;
    std::unique_ptr<Timer> timer;
    timer = std::make_unique<Timer>(loop, [&] {
        timer.reset();
        loop.post([&loop] { loop.stop(); });
    });
    timer->start_once(milliseconds(1));
    loop.run_to_the_end();
    EXPECT_FALSE(timer);
}

/// The mask of this thread as it was, at the end.
class SignalsTest : public testing::Test {
  protected:
    SignalsTest() { ::pthread_sigmask(SIG_SETMASK, nullptr, &before_); }
    ~SignalsTest() override { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

    static bool is_blocked(int number) {
        sigset_t blocked;
        ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
        return ::sigismember(&blocked, number) == 1;
    }

  private:
    sigset_t before_{};
};

TEST_F(SignalsTest, come_to_the_loop_by_number_with_their_sender) {
    TestLoop loop;
    std::vector<int> received;
    const Signals signals(loop, {SIGUSR1, SIGUSR2}, [&](int number, pid_t sender) {
        received.push_back(number);
        EXPECT_EQ(sender, ::getpid());
        if (received.size() == 2) loop.stop();
    });
    ::pthread_kill(::pthread_self(), SIGUSR1);
    ::pthread_kill(::pthread_self(), SIGUSR2);
    loop.run_to_the_end();
    EXPECT_EQ(received, (std::vector<int>{SIGUSR1, SIGUSR2}));
}

TEST_F(SignalsTest, sent_before_the_loop_runs_are_not_lost) {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGUSR1);
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    ::pthread_kill(::pthread_self(), SIGUSR1);
    TestLoop loop;
    const Signals signals(loop, {SIGUSR1}, [&](int, pid_t) { loop.stop(); });
    loop.run_to_the_end();
}

TEST_F(SignalsTest, that_come_when_the_loop_has_stopped_can_be_asked_for) {
    TestLoop loop;
    std::vector<int> received;
    Signals signals(loop, {SIGUSR1, SIGUSR2}, [&](int number, pid_t) {
        received.push_back(number);
        loop.stop();
    });
    ::pthread_kill(::pthread_self(), SIGUSR1);
    loop.run_to_the_end();
    signals.deliver_pending();
    EXPECT_EQ(received, (std::vector<int>{SIGUSR1}));
    ::pthread_kill(::pthread_self(), SIGUSR1);
    ::pthread_kill(::pthread_self(), SIGUSR2);
    signals.deliver_pending();
    EXPECT_EQ(received, (std::vector<int>{SIGUSR1, SIGUSR1, SIGUSR2}));
}

TEST_F(SignalsTest, are_blocked_in_threads_made_later) {
    EventLoop loop;
    const Signals signals(loop, {SIGUSR1}, [](int, pid_t) {});
    bool blocked = false;
    std::thread([&blocked] { blocked = is_blocked(SIGUSR1); }).join();
    EXPECT_TRUE(blocked);
}

TEST_F(SignalsTest, stay_blocked_when_the_object_goes) {
    const auto before = open_descriptors();
    {
        EventLoop loop;
        const Signals signals(loop, {SIGUSR1}, [](int, pid_t) {});
    }
    EXPECT_TRUE(is_blocked(SIGUSR1)) << "a late one would kill the process";
    EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace handover::test
