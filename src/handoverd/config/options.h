// SPDX-License-Identifier: MIT
#pragma once

#include "handover/generation.h"
#include "handoverd/config/settings.h"
#include "http/server_options.h"

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace handoverd {

/// Where the service listens unless something else is configured or inherited.
inline constexpr const char* default_listen = "[::]:9999";

/// Where the admin listener is unless configured: below $RUNTIME_DIRECTORY (which the unit sets),
/// else /run/handoverd for root, else $XDG_RUNTIME_DIR/handoverd, else an abstract name.
[[nodiscard]] std::string default_admin_endpoint();

enum class Command { serve, reload, status, dashboard, check, anchor };

/// The command line and the configuration file, which come from one definition: every option is
/// also a key of the file.
struct Options {
    Command command = Command::serve;
    bool status_as_json = false;
    bool watch = false;  ///< status: kept up to date
    bool wait = false;   ///< reload: until the probation is over
    bool print = false;  ///< check: what holds, and where it comes from

    ConfigurationFile file;         ///< as far as it has been read
    std::vector<Setting> settings;  ///< all that can stand in it, in the order of --help

    /// What options say about these is in them, and what they do not say is the default there.
    handover::GenerationOptions generation;
    handover::http::ServerOptions http;

    std::vector<std::string> listen;         ///< empty: the default, or whatever is inherited
    std::string root;                        ///< empty: no static files
    std::vector<std::string> cache_control;  ///< rules; see CacheControl
    std::string admin = default_admin_endpoint();
    std::string metrics;             ///< endpoint of the metrics listener; empty: none
    bool public_health = false;      ///< /healthz and /readyz for everybody
    int ledger_fd = -1;              ///< anchor: what it was left
    std::string log_level = "info";  ///< "debug", "info", "warning" or "error"
    std::string access_log = "off";  ///< "off", "combined" or "json"
    std::string access_log_file;     ///< empty: with the log
};

/// What the user has to put right, and the exit status it deserves: 64 (EX_USAGE) for the command
/// line, 78 (EX_CONFIG) for the configuration file. what() has all faults in one line.
class UsageError : public std::runtime_error {
  public:
    UsageError(int exit_status, const std::string& fault)
        : UsageError(exit_status, std::vector<std::string>{fault}) {}
    /// `faults` is not empty; of very many only the first are kept.
    UsageError(int exit_status, std::vector<std::string> faults);
    [[nodiscard]] int exit_status() const noexcept { return exit_status_; }
    /// The faults, of one line each.
    [[nodiscard]] const std::vector<std::string>& faults() const noexcept { return faults_; }

  private:
    int exit_status_;
    std::vector<std::string> faults_;
};

/// `version` is what --version prints, and what the program calls itself everywhere else.
///
/// nullopt: --help or --version was asked for and has been printed. Throws UsageError.
///
/// `reload` and `status` only need to find the admin listener: for them, what else is wrong in the
/// file is not theirs to judge. Who reloads may be an older version than the one that is to start,
/// which reads the file itself and says what it thinks of it.
[[nodiscard]] std::optional<Options> parse_options(int argc, const char* const* argv,
                                                   const std::string& version);

}  // namespace handoverd
