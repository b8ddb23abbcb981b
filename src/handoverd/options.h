// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace handoverd {

enum class Command { serve, reload, status, dashboard, check, anchor };

/// The command line and the configuration file, which come from one definition: every option is
/// also a key of the file.
struct Options {
    Command command = Command::serve;
    bool status_as_json = false;
    bool watch = false;  ///< status: kept up to date
    bool wait = false;   ///< reload: until the probation is over

    std::vector<std::string> listen;         ///< empty: the default, or whatever is inherited
    std::string root;                        ///< empty: no static files
    std::vector<std::string> cache_control;  ///< rules; see CacheControl
    std::string admin;                       ///< endpoint of the admin listener
    bool public_health = false;              ///< /healthz and /readyz for everybody
    std::chrono::milliseconds drain_timeout{};
    std::chrono::milliseconds ready_timeout{};
    std::chrono::milliseconds probation{};
    std::chrono::milliseconds idle_timeout{};
    std::size_t draining_max = 0;
    bool anchor = false;  ///< serve: the first process stays until the service ends
    int ledger_fd = -1;   ///< anchor: what it was left
    std::size_t threads = 0;
    std::string log_level;
};

/// One line for the user, and the exit status it deserves: 64 (EX_USAGE) for the command line, 78
/// (EX_CONFIG) for the configuration file.
class UsageError : public std::runtime_error {
  public:
    UsageError(int exit_status, const std::string& what)
        : std::runtime_error(what), exit_status_(exit_status) {}
    [[nodiscard]] int exit_status() const noexcept { return exit_status_; }

  private:
    int exit_status_;
};

/// nullopt: --help or --version was asked for and has been printed. Throws UsageError.
[[nodiscard]] std::optional<Options> parse_options(int argc, const char* const* argv);

/// Where the admin listener is unless configured: below $RUNTIME_DIRECTORY (which the unit sets),
/// else /run/handoverd for root, else $XDG_RUNTIME_DIR/handoverd, else an abstract name.
[[nodiscard]] std::string default_admin_endpoint();

}  // namespace handoverd
