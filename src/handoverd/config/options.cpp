// SPDX-License-Identifier: MIT
#include "handoverd/config/options.h"

#include "handover/build_id.h"
#include "handoverd/config/duration.h"
#include "handoverd/config/validators.h"

#include <CLI/CLI.hpp>

#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace handoverd {
namespace {

/// Where packages put it.
constexpr const char* standard_config = "/etc/handoverd/handoverd.conf";

class Definition {
  public:
    Definition(Options& options, const std::string& version)
        : options_(options),
          version_(version),
          app_("HTTP server that keeps its listener through every restart") {
        app_.name("handoverd");
        app_.set_version_flag("--version",
                              version + " (build " + handover::build_id().substr(0, 12) + ")");
        app_.add_option("--config", config_,
                        "Read options from a file of lines like drain-timeout=20s. Default: this "
                        "one, if there is such a file")
            ->default_str(standard_config)
            ->configurable(false);
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
    }

    /// After parse(). Throws UsageError.
    void read_file() {
        using Missing = ConfigurationFile::Missing;
        // It goes on with what it was given, whatever the file has become.
        if (options_.command == Command::anchor) return;
        auto& file = options_.file;
        file = app_.count("--config") == 0
                   ? ConfigurationFile::read(standard_config, Missing::is_empty)
                   : ConfigurationFile::read(config_, Missing::is_a_fault);
        Options unused;
        Definition trial(unused, version_);
        options_.settings = apply(file, app_, trial.app_);
        if (!options_.access_log_file.empty() && app_.count("--access-log") == 0)
            options_.access_log = "combined";
        if (options_.command == Command::reload || options_.command == Command::status ||
            options_.command == Command::dashboard)
            return refuse_if_admin_is_unknown();
        refuse_same_addresses();
        refuse(file.faults);
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
        app_.add_subcommand("check", "Check the options and the configuration file; start nothing")
            ->add_flag("--print", options_.print, "What holds then, and where each value is from");
        auto* anchor = app_.add_subcommand(
            "anchor", "What the first process becomes with --anchor; not to be called by hand");
        anchor->add_option("ledger", options_.ledger_fd, "A descriptor")->required();
        anchor->group("");
    }

    void add_options() {
        app_.add_option("--listen", options_.listen,
                        "Address to serve on: [::]:80, 127.0.0.1:80, :80, unix:/path, unix:@name. "
                        "May be given more than once. Default: what a .socket unit hands over, "
                        "else " +
                            std::string(default_listen))
            ->check(is_endpoint());
        app_.add_option("--root", options_.root, "Directory of static files to serve")
            ->check(is_directory());
        app_.add_option("--cache-control", options_.cache_control,
                        "Cache-Control of files: no-cache for all of them, .css=max-age=3600 by "
                        "their ending, /assets/=immutable by their directory. May be given more "
                        "than once")
            ->check(is_cache_rule());
        app_.add_option("--admin", options_.admin,
                        "Address for the commands and the live page: /, /status, /events, "
                        "/reload, /metrics, /healthz and /readyz")
            ->check(is_endpoint())
            ->capture_default_str();
        app_.add_option("--metrics", options_.metrics,
                        "Address for /metrics, /healthz and /readyz, and nothing else, for "
                        "everybody: Prometheus cannot ask a unix socket")
            ->check(is_endpoint());
        app_.add_flag("--public-health", options_.public_health,
                      "Answer /healthz and /readyz where --listen says, too, for load balancers");
        auto& generation = options_.generation;
        auto& http = options_.http;
        add_time("--drain-timeout", generation.drain_timeout,
                 "How long requests in flight may take to finish");
        add_time("--ready-timeout", generation.ready_timeout,
                 "How long a successor may take to get ready");
        add_time("--probation", generation.probation,
                 "How long a successor is watched, at least, after it took over: should it die "
                 "meanwhile, the generation before takes over again");
        add_time("--idle-timeout", http.idle_timeout, "How long a connection may be idle");
        app_.add_flag("--anchor", generation.anchor,
                      "Stay until the service ends: for supervisors that watch the process which "
                      "they started. PID 1 does so in any case");
        app_.add_option("--draining-max", generation.draining_max,
                        "Most generations that finish their requests at one time; another reload "
                        "ends the oldest")
            ->check(is_number_within(1, 64))
            ->capture_default_str();
        app_.add_option("--threads", http.threads_max, "Most threads for requests at one time")
            ->check(is_number_within(2, 100000))
            ->capture_default_str();
        app_.add_option("--log-level", options_.log_level, "What to log")
            ->check(is_one_of({"debug", "info", "warning", "error"}))
            ->capture_default_str();
        add_access_log();
    }

    void add_access_log() {
        app_.add_option("--access-log", options_.access_log,
                        "A line for each request: as Apache and nginx write it, or a JSON object")
            ->check(is_one_of({"off", "combined", "json"}))
            ->capture_default_str();
        app_.add_option(
            "--access-log-file", options_.access_log_file,
            "Append these lines, combined if --access-log does not say otherwise, to a "
            "file that each generation opens anew. Default: they go where the log goes");
    }

    void add_time(const std::string& name, std::chrono::milliseconds& target,
                  const std::string& description) {
        app_.add_option_function<std::string>(
                name, [&target](const std::string& text) { target = *parse_duration(text); },
                description)
            ->check(is_duration())
            ->default_str(duration_text(target));
    }

    /// Without it nobody can be asked.
    void refuse_if_admin_is_unknown() const {
        auto faults = options_.file.faults;
        std::erase_if(faults, [](const auto& fault) {
            return fault.line != 0 && !fault.text.starts_with("admin=");
        });
        refuse(faults);
    }

    void refuse_same_addresses() {
        for (const auto& same :
             same_addresses(options_.settings, {"listen", "admin", "metrics"}, options_.file)) {
            if (same.from != Setting::From::file) throw UsageError(EX_USAGE, same.text);
            options_.file.add_fault(same.line, same.text);
        }
    }

    void refuse(const std::vector<ConfigurationFile::Fault>& faults) const {
        if (faults.empty()) return;
        std::vector<std::string> lines;
        lines.reserve(faults.size());
        for (const auto& fault : faults)
            lines.push_back(options_.file.place(fault.line) + ": " + fault.text);
        throw UsageError(EX_CONFIG, std::move(lines));
    }

    Options& options_;
    const std::string version_;
    std::string config_;
    CLI::App app_;
};

/// CLI11's messages may have several lines and no hint; users get one line with one.
std::string one_line(std::string message) {
    while (!message.empty() && message.back() == '\n') message.pop_back();
    std::replace(message.begin(), message.end(), '\n', ' ');
    return message + " (see handoverd --help)";
}

/// Nobody reads more of them, and they have to fit into a message.
std::vector<std::string> not_too_many(std::vector<std::string> faults) {
    constexpr std::size_t most = 20;
    if (faults.size() <= most) return faults;
    const auto more = faults.size() - most;
    faults.resize(most);
    faults.push_back("and " + std::to_string(more) + " more");
    return faults;
}

}  // namespace

UsageError::UsageError(int exit_status, std::vector<std::string> faults)
    : std::runtime_error(CLI::detail::join(not_too_many(faults), "; ")),
      exit_status_(exit_status),
      faults_(not_too_many(std::move(faults))) {}

std::optional<Options> parse_options(int argc, const char* const* argv,
                                     const std::string& version) {
    Options options;
    options.generation.version = version;
    Definition definition(options, version);
    try {
        definition.parse(argc, argv);
        definition.read_file();
    } catch (const CLI::Success& help) {
        definition.app().exit(help);
        return std::nullopt;
    } catch (const CLI::ParseError& error) {
        throw UsageError(EX_USAGE, one_line(error.what()));
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
