// SPDX-License-Identifier: MIT
#pragma once

#include "support/child_process.h"
#include "support/counting_client.h"
#include "support/load_report.h"
#include "support/programs.h"
#include "support/raw_client.h"
#include "support/server_process.h"
#include "support/temporary_directory.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace handover::test {

/// How to start handoverd.
struct DaemonOptions {
    std::filesystem::path program = program_under_test();
    std::vector<std::string> listen = {"127.0.0.1:0"};  ///< a --listen for each
    std::string admin = {};                             ///< if not <directory>/admin.sock
    std::string probation = "0s";  ///< predecessors end as soon as nothing is in flight
    std::vector<std::string> options = {};
    ProcessOptions process = {};  ///< all but argv, which is made of the above
};

/// What became of `handoverd reload` and its like.
struct CommandResult {
    int status = 0;
    std::string out;
    std::string err;
};

/// Who answered a request to /hello.
struct Answer {
    int status = 0;
    std::uint64_t generation = 0;
    pid_t pid = -1;
    std::string body;
};

/// A running handoverd with its files in a temporary directory of the test. See ServerProcess for
/// logs, deadlines and the end.
class Daemon : public ServerProcess {
  public:
    /// Starts it and waits until it serves.
    Daemon(const TemporaryDirectory& directory, const DaemonOptions& start);

    /// Waits until that generation, and no other, accepts; it is the current one from then on. Its
    /// pid.
    pid_t await_generation(std::uint64_t number);
    /// The same for one whose predecessor died and can say nothing.
    pid_t await_orphan(std::uint64_t number);
    /// Waits until, after that place in the log, a successor has been rolled back; the generation
    /// that serves again is the current one from then on. The line that says so.
    std::string await_rollback(std::size_t after);
    /// Of the current generation.
    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
    [[nodiscard]] Endpoint address(std::size_t index = 0) const;
    [[nodiscard]] Endpoint admin() const;

    void signal(int number) const;
    /// Waits until the current generation has ended; its exit status, or -signal.
    int await_end() const { return test::await_end(pid_); }

    /// Runs `handoverd reload`; after a success the successor is the current generation.
    CommandResult reload(const std::vector<std::string>& options = {});
    /// The same without waiting for its end.
    [[nodiscard]] ChildProcess start_reload(const std::vector<std::string>& options = {}) const;
    /// What /status of the admin listener answers, whoever serves it.
    [[nodiscard]] nlohmann::json status() const;
    /// Waits until it says so.
    [[nodiscard]] bool wait_for_state(const std::string& state) const;
    /// Waits until the current generation has this many connections, apart from the asking one.
    [[nodiscard]] bool wait_for_connections(std::size_t count) const;

    /// One request on a connection of its own.
    [[nodiscard]] Answer ask(std::string_view path = "/hello") const;
    /// The line that runs this command of the original program, whatever has replaced the one that
    /// was started.
    [[nodiscard]] std::vector<std::string> command(const std::string& name) const;

  private:
    std::string admin_;
    std::string sentence_;  // of the current generation: what it serves
    pid_t pid_ = -1;
    std::uint64_t generation_ = 0;
};

/// handoverd's command line for this start.
[[nodiscard]] std::vector<std::string> command_line(const TemporaryDirectory& directory,
                                                    const DaemonOptions& start);
/// For starts that shall fail: runs it to its end; its exit status and its log.
[[nodiscard]] CommandResult run_to_end(const TemporaryDirectory& directory,
                                       const DaemonOptions& start);

/// Sends a GET for /hello?sleep=... and returns when the daemon, which has no other connections,
/// has accepted it.
[[nodiscard]] RawClient start_slow_request(const Daemon& daemon, const std::string& sleep);
[[nodiscard]] Answer answer_in(const RawResponse& response);

/// Is a new connection refused?
[[nodiscard]] bool refuses(const Endpoint& endpoint);

/// Stops the client and expects that each of its requests was answered with 200, and that no
/// connection was closed but after a response that said so.
LoadReport expect_nothing_lost(Load& load);

/// Puts a copy of `program` at `path` as a package upgrade does: in one step, as a new file.
void install(const std::filesystem::path& program, const std::filesystem::path& path);
/// The same for a text, with these permissions.
void install_text(const std::string& text, std::filesystem::perms mode,
                  const std::filesystem::path& path);

}  // namespace handover::test
