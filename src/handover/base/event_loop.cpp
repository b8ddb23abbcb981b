// SPDX-License-Identifier: MIT
#include "handover/base/event_loop.h"

#include "handover/error.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

namespace handover {
namespace {

timespec to_timespec(std::chrono::microseconds duration) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
    return {static_cast<time_t>(seconds.count()),
            static_cast<long>((duration - seconds).count() * 1000)};
}

}  // namespace

EventLoop::EventLoop()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wakeup_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!epoll_ || !wakeup_) throw os_error("cannot make an event loop", errno);
    watch(wakeup_.get(), [this] { run_posted(); });
}

void EventLoop::watch(int fd, Callback callback, When when) {
    epoll_event event{};
    event.events = when == When::readable ? EPOLLIN : EPOLLOUT;
    event.data.u64 = std::uint64_t{++last_number_} << 32 | static_cast<std::uint32_t>(fd);
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
        throw os_error("cannot watch descriptor " + std::to_string(fd), errno);
    registrations_[fd] = {last_number_, std::make_shared<Callback>(std::move(callback))};
}

void EventLoop::forget(int fd) {
    if (registrations_.erase(fd) != 0) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void EventLoop::post(Callback task) {
    {
        const std::lock_guard lock(mutex_);
        posted_.push_back(std::move(task));
    }
    ::eventfd_write(wakeup_.get(), 1);
}

void EventLoop::run_posted() {
    eventfd_t count = 0;
    ::eventfd_read(wakeup_.get(), &count);
    std::vector<Callback> tasks;
    {
        const std::lock_guard lock(mutex_);
        tasks.swap(posted_);
    }
    for (const auto& task : tasks) task();
}

void EventLoop::run() {
    std::array<epoll_event, 16> events{};
    while (!stopped_) {
        const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), -1);
        if (count < 0 && errno != EINTR) throw os_error("cannot wait for events", errno);
        for (int i = 0; i < count && !stopped_; ++i) {
            // Looked up at each step: an earlier callback may have forgotten it, and even watched
            // another descriptor of the same number.
            const auto data = events[static_cast<std::size_t>(i)].data.u64;
            const auto found = registrations_.find(static_cast<int>(data & 0xffffffff));
            if (found == registrations_.end() || found->second.number != data >> 32) continue;
            const auto callback = found->second.callback;  // outlives one that forgets itself
            (*callback)();
        }
    }
    stopped_ = false;  // for the next run
}

Timer::Timer(EventLoop& loop, EventLoop::Callback callback)
    : loop_(loop), fd_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
    if (!fd_) throw os_error("cannot make a timer", errno);
    loop_.watch(fd_.get(), [fd = fd_.get(), callback = std::move(callback)] {
        std::uint64_t expirations = 0;
        // A timer that was stopped after it fired has nothing to read.
        if (::read(fd, &expirations, sizeof expirations) == sizeof expirations) callback();
    });
}

Timer::~Timer() {
    loop_.forget(fd_.get());
}

void Timer::set(std::chrono::microseconds first, std::chrono::microseconds interval) {
    const itimerspec when{to_timespec(interval), to_timespec(first)};
    ::timerfd_settime(fd_.get(), 0, &when, nullptr);
}

// Zero would disarm it (timerfd_settime(2)); a delay of nothing is the shortest there is.
void Timer::start_once(std::chrono::microseconds delay) {
    set(std::max(delay, std::chrono::microseconds(1)), std::chrono::microseconds(0));
}

void Timer::start_every(std::chrono::microseconds interval) {
    set(interval, interval);
}

void Timer::stop() {
    set(std::chrono::microseconds(0), std::chrono::microseconds(0));
}

Signals::Signals(EventLoop& loop, std::initializer_list<int> numbers,
                 std::function<void(int, pid_t)> callback)
    : loop_(loop), callback_(std::move(callback)) {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int number : numbers) ::sigaddset(&set, number);
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    fd_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd_) throw os_error("cannot receive signals", errno);
    loop_.watch(fd_.get(), [this] { (void)deliver_one(); });
}

bool Signals::deliver_one() {
    signalfd_siginfo info{};
    if (::read(fd_.get(), &info, sizeof info) != sizeof info) return false;
    callback_(static_cast<int>(info.ssi_signo), static_cast<pid_t>(info.ssi_pid));
    return true;
}

void Signals::deliver_pending() {
    while (deliver_one()) continue;
}

Signals::~Signals() {
    loop_.forget(fd_.get());
}

}  // namespace handover
