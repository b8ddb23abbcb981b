// SPDX-License-Identifier: MIT
#include "handoverd/client/admin_client.h"

#include "handover/endpoint.h"

#include <spdlog/fmt/fmt.h>

#include <sys/socket.h>

namespace handoverd {

using nlohmann::json;

httplib::Client admin_client(const Options& options) {
    const auto endpoint = handover::Endpoint::parse(options.admin);
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
    client.set_default_headers({{"Host", "localhost"}});  // not whatever httplib makes of the path
    return client;
}

std::optional<json> answer_in(const httplib::Result& result, const Options& options,
                              std::string& fault) {
    if (!result) {
        fault = fmt::format(
            "no answer from the admin listener {}: {} (is it running? does --admin "
            "name its address?)",
            options.admin, httplib::to_string(result.error()));
        return std::nullopt;
    }
    auto body = json::parse(result->body, nullptr, /*allow_exceptions=*/false);
    if (!body.is_object()) {
        fault = fmt::format("{} answers {} and no JSON: it is not handoverd's admin", options.admin,
                            result->status);
        return std::nullopt;
    }
    return body;
}

}  // namespace handoverd
