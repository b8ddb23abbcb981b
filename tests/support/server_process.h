// SPDX-License-Identifier: MIT
#pragma once

#include "handover/endpoint.h"
#include "handover/unique_fd.h"
#include "support/processes.h"

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handover::test {

/// How to start a program.
struct ProcessOptions {
    /// Stands for the pid of the started process in the environment.
    static constexpr std::string_view own_pid = "{own pid}";

    struct Inherited {
        std::string name;
        int fd;  ///< borrowed
    };

    std::vector<std::string> argv = {};
    std::filesystem::path executable = {};  ///< if not argv[0]
    std::filesystem::path directory = {};   ///< if not the test's own
    /// Passed as descriptors 3, 4 and so on, and announced by LISTEN_FDS, _FDNAMES and _PID.
    std::vector<Inherited> inherited = {};
    std::vector<int> unannounced = {};  ///< borrowed; passed after those
    /// Added to the test's own environment, which is without LISTEN_* and what else a service
    /// manager sets. These win over what is said above; no value: not set.
    std::map<std::string, std::optional<std::string>> environment = {};
};

/// A running program that hands over to itself: the process that a test started and every
/// generation after it. Their stdout and stderr are one pipe, in which their log lines arrive as
/// events; as it is read only by functions of this object, wait for something from time to time.
///
/// All of them are in a process group of their own. The destructor kills what is left of it and
/// fails the test if a sanitizer had something to say. Nothing waits longer than `timeout`; what
/// does not happen in time throws std::runtime_error with the log. Not thread-safe.
class ServerProcess {
  public:
    explicit ServerProcess(const ProcessOptions& start);
    ~ServerProcess();
    ServerProcess(const ServerProcess&) = delete;
    ServerProcess& operator=(const ServerProcess&) = delete;

    /// The first line of the log, past or to come, from the byte `after` on that contains `part`.
    std::string await_line(std::string_view part, std::size_t after = 0);
    /// All that has been written so far.
    [[nodiscard]] const std::string& log();
    /// A mark for await_line().
    [[nodiscard]] std::size_t log_size() { return log().size(); }

    /// Of the process that was started here.
    [[nodiscard]] pid_t first_pid() const noexcept { return first_; }
    /// All processes of all generations that exist, zombies included.
    [[nodiscard]] std::vector<pid_t> processes() const { return members_of_group(first_); }
    /// Waits until these are all there are; reaps what has ended otherwise.
    [[nodiscard]] bool wait_for_only(const std::vector<pid_t>& pids) const;

  private:
    void read_available();
    [[noreturn]] void fail(const std::string& what);

    pid_t first_ = -1;
    UniqueFd output_;
    std::string log_;
};

/// "... (pid 812) ..." in a log line.
[[nodiscard]] pid_t pid_in(std::string_view line);
/// The address in a sentence like "serves http on 127.0.0.1:80, admin on unix:/x" that stands at
/// the `index`th listener of that name.
[[nodiscard]] Endpoint endpoint_in(std::string_view line, std::string_view name,
                                   std::size_t index = 0);

}  // namespace handover::test
