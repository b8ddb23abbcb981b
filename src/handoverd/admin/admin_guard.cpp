// SPDX-License-Identifier: MIT
#include "handoverd/admin/admin_guard.h"

#include "handoverd/admin/status_json.h"
#include "handoverd/config/parse_number.h"

#include <arpa/inet.h>
#include <strings.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace handoverd {
namespace {

bool equal_ignoring_case(const std::string& one, const std::string& other) {
    return ::strcasecmp(one.c_str(), other.c_str()) == 0;
}

/// Without a port, and without the brackets around IPv6. nullopt: what follows is no port.
std::optional<std::string> name_in(const std::string& host) {
    const bool bracketed = host.starts_with('[');
    const auto end = std::min(bracketed ? host.find(']') : host.find(':'), host.size());
    const auto rest = host.substr(std::min(end + (bracketed ? 1 : 0), host.size()));
    if (!rest.empty() &&
        (rest[0] != ':' || !parse_number<std::uint16_t>(std::string_view(rest).substr(1))))
        return std::nullopt;
    return bracketed ? host.substr(1, end - 1) : host.substr(0, end);
}

bool is_address(const std::string& name) {
    std::array<unsigned char, sizeof(in6_addr)> address{};
    return ::inet_pton(AF_INET, name.c_str(), address.data()) == 1 ||
           ::inet_pton(AF_INET6, name.c_str(), address.data()) == 1;
}

bool is_nobodys(const std::string& host, bool on_unix) {
    if (on_unix && host.starts_with('/')) return true;  // some clients name the path of the socket
    const auto name = name_in(host);
    if (!name) return false;
    if (name->empty() || is_address(*name) || equal_ignoring_case(*name, "localhost")) return true;
    return on_unix && name->find('.') == std::string::npos;
}

bool only_follows_a_link(const httplib::Request& request) {
    return (request.method == "GET" || request.method == "HEAD") &&
           request.get_header_value("Sec-Fetch-Mode") == "navigate";
}

std::optional<std::string> why_not(const httplib::Request& request, bool on_unix) {
    const auto host = request.get_header_value("Host");
    if (!is_nobodys(host, on_unix))
        return "the Host is a name: ask for an address or for localhost";
    const auto origin = request.get_header_value("Origin");
    if (request.has_header("Origin") && !equal_ignoring_case(origin, "http://" + host) &&
        !equal_ignoring_case(origin, "https://" + host))
        return "the Origin is another one: a page of somebody else asks";
    const auto site = request.get_header_value("Sec-Fetch-Site");
    if (!site.empty() && site != "same-origin" && site != "none" && !only_follows_a_link(request))
        return "Sec-Fetch-Site says that a page of somebody else asks";
    return std::nullopt;
}

bool is_for_everybody(std::string_view path) {
    constexpr std::array paths{std::string_view("/healthz"), std::string_view("/readyz"),
                               std::string_view("/metrics")};
    return std::find(paths.begin(), paths.end(), path) != paths.end();
}

}  // namespace

void refuse_pages_of_others(handover::http::Server& admin, const handover::Endpoint& endpoint) {
    using httplib::Server;
    const bool on_unix = endpoint.family() == AF_UNIX;
    admin.set_pre_routing_handler(
        [on_unix](const httplib::Request& request, httplib::Response& response) {
            const auto reason =
                is_for_everybody(request.path) ? std::nullopt : why_not(request, on_unix);
            if (!reason) return Server::HandlerResponse::Unhandled;
            response.status = 403;
            response.set_content(one_line({{"message", "refused: " + *reason}}) + "\n",
                                 "application/json");
            return Server::HandlerResponse::Handled;
        });
}

}  // namespace handoverd
