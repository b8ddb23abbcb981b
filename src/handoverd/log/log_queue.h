// SPDX-License-Identifier: MIT
#pragma once

#include "handover/report.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace handoverd {

struct LogEntry {
    handover::Report::Severity severity = handover::Report::Severity::info;
    std::string text;                      ///< as it came
    std::vector<std::string> fields = {};  ///< "NAME=value", for the journal
    bool is_access = false;                ///< a whole line of the access log
    std::chrono::system_clock::time_point when = std::chrono::system_clock::now();
};

/// Writes a log on a thread of its own, so that nobody who serves ever waits for the journal, a
/// terminal or a pipe that is full. What does not fit into the queue is dropped and counted.
///
/// The thread starts with the first entry and takes no signals, so that it does not matter which
/// ones the program waits for. If there is none to be had, who posts also writes. Thread-safe.
class LogQueue {
  public:
    using Write = std::function<void(const LogEntry&)>;

    /// `write` is called with one entry at a time.
    LogQueue(std::size_t entries_max, Write write);
    /// Gives what is in the queue `last_words` to be written, and leaves the rest.
    ~LogQueue();
    LogQueue(const LogQueue&) = delete;
    LogQueue& operator=(const LogQueue&) = delete;

    void post(LogEntry entry);
    /// Waits until all that was posted before is written; false if that takes longer.
    bool flush(std::chrono::milliseconds within);

    static constexpr std::chrono::milliseconds last_words{1'000};

  private:
    struct State;
    static void work(State& state);
    void start_thread();

    const std::shared_ptr<State> state_;  ///< the thread's, too: it may be left in a write
    std::thread thread_;
};

}  // namespace handoverd
