// SPDX-License-Identifier: MIT
#include "handoverd/log/log_queue.h"

#include <spdlog/fmt/fmt.h>

#include <pthread.h>

#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <system_error>
#include <utility>

namespace handoverd {
namespace {

LogEntry loss(std::uint64_t dropped) {
    return {
        handover::Report::Severity::warning,
        fmt::format("{} line{} of the log went missing: they are not taken as fast as they come",
                    dropped, dropped == 1 ? "" : "s")};
}

}  // namespace

struct LogQueue::State {
    State(std::size_t max, Write how) : entries_max(max), write(std::move(how)) {}

    const std::size_t entries_max;
    const Write write;
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<LogEntry> entries;
    std::uint64_t dropped = 0;  ///< since that was told
    bool started = false;
    bool has_thread = false;
    bool writing = false;
    bool ends = false;
};

LogQueue::LogQueue(std::size_t entries_max, Write write)
    : state_(std::make_shared<State>(entries_max, std::move(write))) {}

LogQueue::~LogQueue() {
    const bool done = flush(last_words);
    {
        const std::lock_guard lock(state_->mutex);
        state_->ends = true;
        state_->changed.notify_all();
    }
    if (!thread_.joinable()) return;
    if (done)
        thread_.join();
    else
        thread_.detach();
}

void LogQueue::post(LogEntry entry) {
    const std::lock_guard lock(state_->mutex);
    if (!std::exchange(state_->started, true)) start_thread();
    if (!state_->has_thread) return state_->write(entry);
    if (state_->entries.size() >= state_->entries_max) {
        ++state_->dropped;
        return;
    }
    state_->entries.push_back(std::move(entry));
    state_->changed.notify_all();
}

bool LogQueue::flush(std::chrono::milliseconds within) {
    std::unique_lock lock(state_->mutex);
    return state_->changed.wait_for(lock, within,
                                    [this] { return state_->entries.empty() && !state_->writing; });
}

/// With all signals blocked, which threads inherit.
void LogQueue::start_thread() {
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        thread_ = std::thread([state = state_] { work(*state); });
        state_->has_thread = true;
    } catch (const std::system_error&) {
        // Then who logs waits, which is better than no log.
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void LogQueue::work(State& state) {
    ::pthread_setname_np(::pthread_self(), "log");
    std::unique_lock lock(state.mutex);
    for (;;) {
        state.changed.wait(lock, [&] { return !state.entries.empty() || state.ends; });
        if (state.entries.empty()) return;
        LogEntry next = std::move(state.entries.front());
        state.entries.pop_front();
        const auto dropped = state.entries.empty() ? std::exchange(state.dropped, 0) : 0;
        state.writing = true;
        lock.unlock();
        state.write(next);
        if (dropped != 0) state.write(loss(dropped));
        lock.lock();
        state.writing = false;
        state.changed.notify_all();
    }
}

}  // namespace handoverd
