// SPDX-License-Identifier: MIT
#pragma once

#include "handover/unique_fd.h"

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handover::test {

/// How a process ended. By a signal: exit_status is -signal.
struct Finished {
    int exit_status = 0;
    std::string out;
    std::string err;
    std::chrono::milliseconds duration{0};

    [[nodiscard]] bool ok() const noexcept { return exit_status == 0; }
    /// `out` without the newlines at its end, as a shell takes it.
    [[nodiscard]] std::string text() const;
};

/// A process that a test started, with pipes on its three standard streams.
///
/// Nothing here waits without a deadline. Output is read while a function of this object waits, not
/// in between: a child that writes more than a pipe holds (64 KiB) blocks until somebody waits. The
/// destructor kills the child (by pidfd, so never a stranger with the same number) and reaps it.
/// Failures of the system throw std::system_error. Not thread-safe.
class ChildProcess {
  public:
    using Clock = std::chrono::steady_clock;
    using Environment = std::map<std::string, std::string>;

    /// Starts argv[0], looked up in PATH, with no signal blocked or ignored. `environment` is added
    /// to the test's own.
    explicit ChildProcess(const std::vector<std::string>& argv,
                          const Environment& environment = {});
    ~ChildProcess();
    ChildProcess(ChildProcess&&) noexcept = default;
    ChildProcess& operator=(ChildProcess&&) = delete;
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }

    /// Writes to the child's standard input; false when the child has closed it.
    bool write(std::string_view text);
    void close_stdin() { stdin_.reset(); }

    /// The next line of standard output that contains `part`, without its newline; lines before it
    /// are passed over. nullopt at the deadline, or when the output ended without such a line.
    [[nodiscard]] std::optional<std::string> wait_for_line(std::string_view part,
                                                           std::chrono::milliseconds within);

    /// Does nothing when the child is gone.
    void signal(int number);

    /// Waits for the end of the child and of its output; nullopt at the deadline. A grandchild that
    /// keeps the output open does not prolong the wait. Can be asked again.
    [[nodiscard]] std::optional<Finished> wait(std::chrono::milliseconds within);

    /// What has been read so far.
    [[nodiscard]] const std::string& out() const noexcept { return out_; }
    [[nodiscard]] const std::string& err() const noexcept { return err_; }

  private:
    void pump(std::chrono::milliseconds at_most);
    void reap();

    pid_t pid_ = -1;
    UniqueFd pidfd_;
    UniqueFd stdin_;
    UniqueFd stdout_;
    UniqueFd stderr_;
    std::string out_;
    std::string err_;
    std::size_t lines_read_to_ = 0;  // how far wait_for_line() has come in out_
    std::optional<int> exit_status_;
    Clock::time_point started_ = Clock::now();
    Clock::time_point ended_{};
};

/// Runs a command to its end. One that is not done in time is killed, and its exit_status is -9.
[[nodiscard]] Finished run_command(const std::vector<std::string>& argv,
                                   std::chrono::milliseconds within,
                                   const ChildProcess::Environment& environment = {});

}  // namespace handover::test
