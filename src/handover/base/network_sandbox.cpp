// SPDX-License-Identifier: MIT
#include "handover/base/network_sandbox.h"

#include "handover/unique_fd.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace handover {
namespace {

/// Devices that every network namespace may begin with (net.core.fb_tunnels_only_for_init_net in
/// the kernel's documentation).
constexpr std::array<std::string_view, 10> devices_from_birth{
    "lo",      "tunl0",    "gre0", "gretap0", "erspan0",
    "ip_vti0", "ip6_vti0", "sit0", "ip6tnl0", "ip6gre0",
};

/// Calls `look` with each line until it says that it has seen enough. Did it?
template <typename Look>
bool any_line(std::string_view text, const Look& look) {
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        if (look(text.substr(0, end))) return true;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return false;
}

/// "  eth0: 1234 ...", below two lines of titles, which have no colon.
bool is_device_to_the_outside(std::string_view line) {
    const auto colon = line.find(':');
    const auto begin = line.find_first_not_of(' ');
    if (colon == std::string_view::npos || begin > colon) return false;
    const auto name = line.substr(begin, colon - begin);
    return std::find(devices_from_birth.begin(), devices_from_birth.end(), name) ==
           devices_from_birth.end();
}

bool is_forbidden(int family) {
    return !UniqueFd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) && errno == EAFNOSUPPORT;
}

std::string content_of(const char* path) {
    std::ostringstream content;
    content << std::ifstream(path).rdbuf();
    return content.str();
}

bool is_in_private_network() {
    const char* manager = std::getenv("NOTIFY_SOCKET");
    // Not /proc/net, which is missing with ProcSubset=pid.
    return manager != nullptr && is_private_network(content_of("/proc/self/net/dev"),
                                                    content_of("/proc/self/net/unix"), manager);
}

}  // namespace

bool is_private_network(std::string_view devices, std::string_view unix_sockets,
                        std::string_view manager) {
    // What cannot be read proves nothing; and a manager may also be reached by other than unix(7).
    const bool known = !devices.empty() && !unix_sockets.empty() &&
                       (manager.starts_with('/') || manager.starts_with('@'));
    // The kernel lists the unix sockets that were made in this namespace; paths reach further.
    const auto is_the_managers = [end = " " + std::string(manager)](std::string_view line) {
        return line.ends_with(end);
    };
    return known && !any_line(unix_sockets, is_the_managers) &&
           !any_line(devices, is_device_to_the_outside);
}

std::string why_out_of_reach(const Endpoint& endpoint) {
    if (endpoint.family() == AF_UNIX) return {};
    // Only both: a kernel may well have no IPv6.
    if (is_forbidden(AF_INET) && is_forbidden(AF_INET6))
        return "this process may open no network socket (RestrictAddressFamilies=)";
    if (!endpoint.is_loopback() && is_in_private_network())
        return "nobody can reach its network namespace (PrivateNetwork=yes)";
    return {};
}

}  // namespace handover
