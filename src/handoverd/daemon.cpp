// SPDX-License-Identifier: MIT
#include "handoverd/daemon.h"

#include "handover/error.h"
#include "handover/generation.h"
#include "handoverd/admin/admin.h"
#include "handoverd/admin/admin_guard.h"
#include "handoverd/admin/events.h"
#include "handoverd/admin/metrics.h"
#include "handoverd/admin/status_json.h"
#include "handoverd/config/duration.h"
#include "handoverd/log/access_log.h"
#include "handoverd/log/log.h"
#include "handoverd/page/page_routes.h"
#include "handoverd/public_routes.h"
#include "http/server.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

namespace handoverd {
namespace {

using handover::Endpoint;
using handover::GenerationOptions;
using handover::WantedListener;

constexpr mode_t admin_mode = 0600;
/// Of /events; and a quarter of the threads, so that there are others for whoever wants to reload.
constexpr std::size_t streams_most = 64;

std::vector<WantedListener> public_listeners(const Options& options) {
    if (options.listen.empty())
        return {{"http", Endpoint::parse(default_listen), /*default_only=*/true}};
    std::vector<WantedListener> wanted;
    for (const auto& text : options.listen) wanted.push_back({"http", Endpoint::parse(text)});
    return wanted;
}

/// The unit has RuntimeDirectory= for this; without a service manager nobody else makes it.
void make_directory_of_default_admin(const Options& options) {
    const auto path = Endpoint::parse(options.admin).unix_path();
    if (path.empty() || options.admin != default_admin_endpoint()) return;
    std::error_code fault;
    std::filesystem::create_directory(std::filesystem::path(path).parent_path(), fault);
    if (fault)
        throw handover::os_error("cannot make the directory of the admin listener " + path,
                                 fault.value());
}

GenerationOptions generation_options(const Options& options) {
    auto result = options.generation;
    result.anchor_command = {"handoverd",       "anchor",
                             "--drain-timeout", duration_text(result.drain_timeout),
                             "--log-level",     options.log_level};
    result.report = write_log;
    return result;
}

handover::http::ServerOptions http_options(const Options& options) {
    auto result = options.http;
    result.on_error = [](const std::string& text) { spdlog::warn(text); };
    return result;
}

handover::http::ServerOptions admin_options(const Options& options) {
    auto result = http_options(options);
    result.admits = may_administer;
    return result;
}

StaticFilesOptions files_options(const Options& options) {
    return {options.root, CacheControl(options.cache_control),
            [](const std::string& text) { spdlog::warn(text); }};
}

/// None: nobody wants one. A predecessor is told why it cannot be opened.
std::unique_ptr<AccessLog> open_access_log(const Options& options,
                                           const handover::Inheritance& inheritance) {
    if (options.access_log == "off") return nullptr;
    const auto format =
        options.access_log == "json" ? AccessLog::Format::json : AccessLog::Format::combined;
    try {
        return std::make_unique<AccessLog>(format, options.access_log_file);
    } catch (const handover::Error& error) {
        inheritance.refuse(error.what());
        throw;
    }
}

handover::http::ServerOptions site_options(const Options& options, AccessLog* access,
                                           const handover::Generation& generation) {
    auto result = http_options(options);
    if (access != nullptr)
        result.on_answer = [access, &generation](const handover::http::AnsweredRequest& request) {
            access->write(request, generation.number());
        };
    return result;
}

void add_metrics_and_health(handover::http::Server& server, const handover::Generation& generation,
                            const handover::http::Server& site) {
    add_metrics_route(server, generation, site);
    add_health_routes(server, generation);
}

void add_admin_site(handover::http::Server& admin, handover::Generation& generation,
                    const handover::http::Server& site, const Options& options) {
    refuse_pages_of_others(admin, Endpoint::parse(options.admin));
    add_admin_routes(admin, generation);
    add_events_route(admin, generation, std::min(streams_most, options.http.threads_max / 4));
    add_metrics_and_health(admin, generation, site);
    add_page_routes(admin, [&generation, &site] {
        auto status = status_json(generation);
        status["requests"] = site.counters().durations().count();
        return status;
    });
}

}  // namespace

int serve(const Options& options, handover::Inheritance inheritance) {
    const auto access = open_access_log(options, inheritance);
    // First and last: the servers count in its counters. It borrows them until run() has returned.
    handover::Generation generation(std::move(inheritance), generation_options(options));
    handover::http::Server site(site_options(options, access.get(), generation));
    handover::http::Server admin(admin_options(options));
    std::optional<handover::http::Server> metrics;  // whose threads nobody needs without
    if (!options.metrics.empty()) metrics.emplace(http_options(options));
    make_directory_of_default_admin(options);
    add_public_routes(
        site, [&generation] { return generation.number(); }, files_options(options),
        options.public_health);
    count_requests(site, generation);
    add_admin_site(admin, generation, site, options);
    if (metrics) add_metrics_and_health(*metrics, generation, site);
    if (options.public_health) add_health_routes(site, generation);
    generation.serve(site, public_listeners(options));
    generation.serve(admin, {{"admin", Endpoint::parse(options.admin), false, admin_mode}});
    if (metrics) generation.serve(*metrics, {{"metrics", Endpoint::parse(options.metrics)}});
    const auto exit = generation.run();
    if (access) access->tell_losses();
    if (exit.cut != 0) {
        flush_log();
        ::_exit(exit.status);
    }
    return exit.status;
}

}  // namespace handoverd
