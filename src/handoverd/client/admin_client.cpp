// SPDX-License-Identifier: MIT
#include "handoverd/client/admin_client.h"

#include "handover/endpoint.h"

#include <spdlog/fmt/fmt.h>

#include <sys/socket.h>

#include <utility>

namespace handoverd {

using handover::Endpoint;
using nlohmann::json;

AdminClient::AdminClient(std::string endpoint, std::chrono::milliseconds longest_work)
    : endpoint_(std::move(endpoint)),
      timeout_(std::chrono::duration_cast<std::chrono::seconds>(longest_work) + margin) {
    (void)Endpoint::parse(endpoint_);
}

httplib::Client AdminClient::connection() const {
    const auto endpoint = Endpoint::parse(endpoint_);
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

httplib::Result AdminClient::send(const Request& request) const {
    auto client = connection();
    client.set_read_timeout(timeout_);
    return request(client);
}

bool AdminClient::is_served() const {
    constexpr std::chrono::seconds timeout{2};
    auto client = connection();
    client.set_read_timeout(timeout);
    return static_cast<bool>(client.Get("/status"));
}

std::optional<json> AdminClient::answer_in(const httplib::Result& result,
                                           std::string& fault) const {
    if (!result) {
        fault = fmt::format(
            "no answer from the admin listener {}: {} (is it running? does --admin "
            "name its address?)",
            endpoint_, httplib::to_string(result.error()));
        return std::nullopt;
    }
    auto body = json::parse(result->body, nullptr, /*allow_exceptions=*/false);
    if (!body.is_object()) {
        fault = fmt::format("{} answers {} and no JSON: it is not handoverd's admin", endpoint_,
                            result->status);
        return std::nullopt;
    }
    return body;
}

}  // namespace handoverd
