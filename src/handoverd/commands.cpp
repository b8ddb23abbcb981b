// SPDX-License-Identifier: MIT
#include "handoverd/commands.h"

#include "handover/endpoint.h"
#include "handover/printable.h"
#include "handoverd/answerer.h"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <httplib.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <utility>

namespace handoverd {
namespace {

using nlohmann::json;

/// One line for the terminal, whatever the one who answered has put into it.
template <typename... Arguments>
void say(std::FILE* to, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    const auto line = fmt::format(format, std::forward<Arguments>(arguments)...);
    fmt::print(to, "{}\n", handover::printable(line));
}

/// A reload ends within the ready timeout plus what the service manager takes; this is more.
constexpr std::chrono::seconds margin{30};

httplib::Client client_for(const handover::Endpoint& endpoint) {
    if (endpoint.family() != AF_UNIX) {
        const auto text = endpoint.to_string();
        auto host = text.substr(0, text.rfind(':'));
        if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
        return httplib::Client(host, endpoint.port());
    }
    auto path = endpoint.unix_path();
    // The kernel's spelling of an abstract name: NUL in the place of '@'.
    if (path.empty()) path = std::string(1, '\0') + endpoint.to_string().substr(6);
    httplib::Client client(path);
    client.set_address_family(AF_UNIX);
    return client;
}

using Request = std::function<httplib::Result(httplib::Client&)>;

httplib::Result send(const Options& options, const Request& request) {
    auto client = client_for(handover::Endpoint::parse(options.admin));
    const auto longest = std::max(options.ready_timeout, options.drain_timeout + options.probation);
    client.set_read_timeout(std::chrono::duration_cast<std::chrono::seconds>(longest) + margin);
    return request(client);
}

/// The answer's JSON, or nullopt after saying why there is none.
std::optional<json> answer_in(const httplib::Result& result, const Options& options) {
    if (!result) {
        say(stderr,
            "handoverd: no answer from the admin listener {}: {} (is it running? does --admin name "
            "its address?)",
            options.admin, httplib::to_string(result.error()));
        return std::nullopt;
    }
    auto body = json::parse(result->body, nullptr, /*allow_exceptions=*/false);
    if (!body.is_object()) {
        say(stderr, "handoverd: {} answers {} and no JSON: it is not handoverd's admin",
            options.admin, result->status);
        return std::nullopt;
    }
    return body;
}

std::optional<json> ask(const Options& options, const Request& request) {
    return answer_in(send(options, request), options);
}

void print_arrivals(const json& arrivals) {
    if (!arrivals.is_object()) return;
    std::string faults;
    if (const auto unclaimed = arrivals.value("unclaimed", 0); unclaimed != 0)
        faults +=
            fmt::format(", {} closed as their listener is not configured any more", unclaimed);
    if (const auto unreadable = arrivals.value("unreadable", 0); unreadable != 0)
        faults += fmt::format(", {} messages could not be read", unreadable);
    say(stdout, "taken over   {} connections of generation {} by {}{}",
        arrivals.value("adopted", 0), arrivals.value("from", 0), arrivals.value("by", ""), faults);
    say(stdout, "             generation {} {}", arrivals.value("from", 0),
        arrivals.value("account", "still drains, or ended without a word"));
}

}  // namespace

namespace {

bool is_served(const Options& options) {
    constexpr std::chrono::seconds patience{2};
    auto client = client_for(handover::Endpoint::parse(options.admin));
    client.set_read_timeout(patience);
    return static_cast<bool>(client.Get("/status"));
}

/// Asks whoever serves how the probation of generation `to` ended. When that generation dies the
/// question dies with it, and whoever serves then is asked.
bool survived_probation(const Options& options, std::uint64_t to) {
    const Request question = [](httplib::Client& client) {
        return client.Get("/status?after=probation");
    };
    auto result = send(options, question);
    if (!result || result->status != 200) result = send(options, question);
    const auto answer = answer_in(result, options);
    if (!answer) return false;
    if (answer->value("generation", std::uint64_t{0}) >= to) return true;
    say(stderr, "{}", answer->value("last_handover", "no reason given"));
    return false;
}

}  // namespace

int reload(const Options& options) {
    const auto answer = ask(options, [&options](httplib::Client& client) {
        const Answerer answerer([&options] { return is_served(options); },
                                [&client] { client.stop(); });
        return client.Post("/reload", "", "application/json");
    });
    if (!answer) return 1;
    const bool succeeded = answer->value("succeeded", false);
    say(succeeded ? stdout : stderr, "{}", answer->value("message", "no reason given"));
    if (!succeeded) return 1;
    if (!options.wait) return 0;
    std::fflush(stdout);
    const auto to = answer->value("to", std::uint64_t{0});
    if (!survived_probation(options, to)) return 1;
    say(stdout, "generation {} is the main process: its probation is over", to);
    return 0;
}

int status(const Options& options) {
    const auto answer = ask(options, [](httplib::Client& client) { return client.Get("/status"); });
    if (!answer) return 1;
    if (options.status_as_json) {
        // In ASCII, JSON escapes all that printable() would.
        fmt::print("{}\n", answer->dump(2, ' ', /*ensure_ascii=*/true));
        return 0;
    }
    say(stdout, "generation   {} (pid {}), {}", answer->value("generation", 0),
        answer->value("pid", 0), answer->value("state", ""));
    say(stdout, "version      {} (build {})", answer->value("version", ""),
        answer->value("build_id", "").substr(0, 12));
    say(stdout, "connections  {}", answer->value("connections", 0));
    print_arrivals(answer->value("arrivals", json()));
    for (const auto& listener : answer->value("listeners", json::array()))
        say(stdout, "listener     {} on {}, {}", listener.value("name", ""),
            listener.value("endpoint", ""),
            listener.value("inherited", false) ? "inherited" : "bound");
    const auto last = answer->value("last_handover", "");
    say(stdout, "last reload  {}", last.empty() ? "none by this generation" : last);
    return 0;
}

}  // namespace handoverd
