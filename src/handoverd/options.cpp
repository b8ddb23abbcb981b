// SPDX-License-Identifier: MIT
#include "handoverd/options.h"

#include "handover/endpoint.h"
#include "handover/error.h"
#include "handover/program.h"
#include "handoverd/cache_control.h"
#include "handoverd/duration.h"

#include <CLI/CLI.hpp>

#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <regex>
#include <sstream>

namespace handoverd {
namespace {

const CLI::Validator is_endpoint(
    [](const std::string& text) {
        try {
            (void)handover::Endpoint::parse(text);
            return std::string();
        } catch (const handover::Error& error) {
            return std::string(error.what());
        }
    },
    "ADDRESS");

const CLI::Validator is_cache_rule(
    [](const std::string& text) {
        try {
            (void)CacheControl({text});
            return std::string();
        } catch (const std::invalid_argument& error) {
            return std::string(error.what());
        }
    },
    "RULE");

/// Where packages put it.
constexpr const char* standard_config = "/etc/handoverd/handoverd.conf";

/// A time as CLI11 sees it: a number of milliseconds that is written with a unit.
struct Time {
    std::uint32_t ms = 0;
    std::chrono::milliseconds& target;
};

/// As CLI11 reads it, but for addresses like [::]:80: to CLI11 a bracket begins a list.
class ConfigFile : public CLI::ConfigTOML {
  public:
    std::vector<CLI::ConfigItem> from_config(std::istream& in) const override {
        const std::regex address(R"re(^(\s*[\w-]+\s*=\s*)(\[[^\]"',]*\]:\S*))re");
        std::stringstream quoted;
        for (std::string line; std::getline(in, line);)
            quoted << std::regex_replace(line, address, "$1\"$2\"") << '\n';
        return CLI::ConfigTOML::from_config(quoted);
    }
};

class Definition {
  public:
    enum class File { read, ignore };

    Definition(Options& options, File file)
        : options_(options), app_("HTTP server that keeps its listener through every restart") {
        app_.name("handoverd");
        app_.set_version_flag("--version", std::string(HANDOVER_VERSION) + " (build " +
                                               handover::build_id().substr(0, 12) + ")");
        constexpr const char* about =
            "Read options from a file of lines like drain-timeout=20s. Default: this one, if there "
            "is such a file";
        if (file == File::read)
            app_.set_config("--config", standard_config, about);
        else
            app_.add_option("--config", about);
        app_.config_formatter(std::make_shared<ConfigFile>());
        app_.allow_config_extras(CLI::config_extras_mode::error);
        app_.fallthrough();
        app_.require_subcommand(0, 1);
        add_commands();
        add_options();
    }

    void parse(int argc, const char* const* argv) {
        app_.parse(argc, argv);
        for (const auto& [name, command] :
             {std::pair("reload", Command::reload), std::pair("status", Command::status),
              std::pair("dashboard", Command::dashboard), std::pair("check", Command::check),
              std::pair("anchor", Command::anchor)})
            if (app_.got_subcommand(name)) options_.command = command;
        for (const auto& time : times_) time->target = std::chrono::milliseconds(time->ms);
    }

    CLI::App& app() { return app_; }

  private:
    void add_commands() {
        app_.add_subcommand("serve", "Serve (this is the default)");
        app_.add_subcommand("reload",
                            "Hand over to a new run of the same command; wait and tell the result")
            ->add_flag("--wait", options_.wait,
                       "Until its probation is over: fail if it is rolled back");
        auto* status = app_.add_subcommand("status", "Tell about the generations of the service");
        auto* json = status->add_flag("--json", options_.status_as_json, "As JSON");
        status->add_flag("--watch", options_.watch, "Keep it up to date on the terminal")
            ->excludes(json);
        app_.add_subcommand("dashboard", "Tell how a browser reaches the live page");
        app_.add_subcommand("check", "Check the options and the configuration file; start nothing");
        auto* anchor = app_.add_subcommand(
            "anchor", "What the first process becomes with --anchor; not to be called by hand");
        anchor->add_option("ledger", options_.ledger_fd, "A descriptor")->required();
        anchor->group("");
    }

    void add_options() {
        app_.add_option("--listen", options_.listen,
                        "Address to serve on: [::]:80, 127.0.0.1:80, :80, unix:/path, unix:@name. "
                        "May be given more than once. Default: what a .socket unit hands over, "
                        "else [::]:9999")
            ->check(is_endpoint);
        app_.add_option("--root", options_.root, "Directory of static files to serve")
            ->check(CLI::ExistingDirectory);
        app_.add_option("--cache-control", options_.cache_control,
                        "Cache-Control of files: no-cache for all of them, .css=max-age=3600 by "
                        "their ending, /assets/=immutable by their directory. May be given more "
                        "than once")
            ->check(is_cache_rule);
        app_.add_option("--admin", options_.admin,
                        "Address for reload, /status, /metrics, /healthz and /readyz")
            ->check(is_endpoint)
            ->default_str(default_admin_endpoint());
        options_.admin = default_admin_endpoint();
        app_.add_flag("--public-health", options_.public_health,
                      "Answer /healthz and /readyz where --listen says, too, for load balancers");
        add_time("--drain-timeout", options_.drain_timeout, "20s",
                 "How long requests in flight may take to finish");
        add_time("--ready-timeout", options_.ready_timeout, "30s",
                 "How long a successor may take to get ready");
        add_time("--probation", options_.probation, "5s",
                 "How long a successor is watched, at least, after it took over: should it die "
                 "meanwhile, the generation before takes over again");
        add_time("--idle-timeout", options_.idle_timeout, "60s",
                 "How long a connection may be idle");
        app_.add_flag("--anchor", options_.anchor,
                      "Stay until the service ends: for supervisors that watch the process which "
                      "they started. PID 1 does so in any case");
        options_.draining_max = 4;
        app_.add_option("--draining-max", options_.draining_max,
                        "Most generations that finish their requests at one time; another reload "
                        "ends the oldest")
            ->check(CLI::Range(1, 64))
            ->capture_default_str();
        options_.threads = 512;
        app_.add_option("--threads", options_.threads, "Most threads for requests at one time")
            ->check(CLI::Range(2, 100000))
            ->capture_default_str();
        options_.log_level = "info";
        app_.add_option("--log-level", options_.log_level, "What to log")
            ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
            ->capture_default_str();
    }

    void add_time(const std::string& name, std::chrono::milliseconds& target,
                  const std::string& standard, const std::string& description) {
        times_.push_back(std::make_unique<Time>(Time{0, target}));
        times_.back()->ms = static_cast<std::uint32_t>(parse_duration(standard)->count());
        app_.add_option(name, times_.back()->ms, description)
            ->transform(duration_in_ms())
            ->default_str(standard);
    }

    Options& options_;
    CLI::App app_;
    std::vector<std::unique_ptr<Time>> times_;
};

/// CLI11's messages may have several lines and no hint; users get one line with one.
std::string one_line(std::string message) {
    while (!message.empty() && message.back() == '\n') message.pop_back();
    std::replace(message.begin(), message.end(), '\n', ' ');
    return message + " (see handoverd --help)";
}

/// Whose fault it was: CLI11 does not say where a wrong value came from.
bool command_line_is_right(int argc, const char* const* argv) {
    Options unused;
    Definition definition(unused, Definition::File::ignore);
    try {
        definition.parse(argc, argv);
        return true;
    } catch (const CLI::ParseError&) {
        return false;
    }
}

}  // namespace

std::optional<Options> parse_options(int argc, const char* const* argv) {
    Options options;
    Definition definition(options, Definition::File::read);
    try {
        definition.parse(argc, argv);
    } catch (const CLI::Success& help) {
        definition.app().exit(help);
        return std::nullopt;
    } catch (const CLI::ParseError& error) {
        if (!command_line_is_right(argc, argv)) throw UsageError(EX_USAGE, one_line(error.what()));
        throw UsageError(EX_CONFIG, "the configuration file: " + one_line(error.what()));
    }
    return options;
}

std::string default_admin_endpoint() {
    const auto environment = [](const char* name) {
        const char* value = std::getenv(name);
        return std::string(value ? value : "");
    };
    // systemd lists several directories with colons in between (systemd.exec(5)).
    auto runtime = environment("RUNTIME_DIRECTORY");
    runtime = runtime.substr(0, runtime.find(':'));
    if (!runtime.empty()) return "unix:" + runtime + "/admin.sock";
    if (::geteuid() == 0) return "unix:/run/handoverd/admin.sock";
    if (const auto user = environment("XDG_RUNTIME_DIR"); !user.empty())
        return "unix:" + user + "/handoverd/admin.sock";
    return "unix:@handoverd-" + std::to_string(::geteuid());
}

}  // namespace handoverd
