// SPDX-License-Identifier: MIT
#include "handoverd/client/dashboard_command.h"

#include "handover/error.h"

#include <spdlog/fmt/fmt.h>

#include <netinet/in.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <climits>

namespace handoverd {
namespace {

using handover::Endpoint;

/// Where ssh listens on the other side: any free port would do, and people recognise this one.
constexpr int local_port = 9998;

std::string by_ssh(const std::string& target, const std::string& user, const std::string& host) {
    return fmt::format(
        "ssh -L {0}:{1} {2}@{3}\n"
        "then open http://localhost:{0}/\n",
        local_port, target, user, host);
}

/// 0.0.0.0 and [::] are no address that one could go to.
bool is_any(const Endpoint& endpoint) {
    const auto port = ":" + std::to_string(endpoint.port());
    const auto text = endpoint.to_string();
    return text == "0.0.0.0" + port || text == "[::]" + port;
}

}  // namespace

std::string dashboard_url_help(const Endpoint& admin, const std::string& user,
                               const std::string& host) {
    if (admin.family() == AF_UNIX) {
        const auto path = admin.unix_path();
        if (path.empty())
            throw handover::Error(
                handover::Error::Kind::config,
                "no browser reaches the admin listener " + admin.to_string() +
                    ", as ssh forwards no abstract name: give --admin a path or a TCP address");
        return by_ssh(path, user, host);
    }
    const auto address = admin.to_string();
    if (admin.is_loopback())
        return "open http://" + address + "/\nor, from another machine:\n" +
               by_ssh(address, user, host);
    if (is_any(admin)) return fmt::format("open http://{}:{}/\n", host, admin.port());
    return "open http://" + address + "/\n";
}

std::string dashboard_url_help(const Endpoint& admin) {
    std::array<char, HOST_NAME_MAX + 1> host{};
    (void)::gethostname(host.data(), host.size() - 1);
    const auto* user = ::getpwuid(::geteuid());
    return dashboard_url_help(admin, user ? user->pw_name : std::to_string(::geteuid()),
                              host.data());
}

}  // namespace handoverd
