// SPDX-License-Identifier: MIT
#include "handover/base/would_accept.h"

#include <netinet/in.h>

#include <cstring>

namespace handover {
namespace {

/// IPv4 as IPv6 has it: ::ffff:192.0.2.1, which is what a dual-stack listener sees.
in6_addr address_of(const Endpoint& endpoint) {
    in6_addr result{};
    if (endpoint.family() == AF_INET6) {
        result = reinterpret_cast<const sockaddr_in6*>(endpoint.address())->sin6_addr;
        return result;
    }
    const auto ip4 = reinterpret_cast<const sockaddr_in*>(endpoint.address())->sin_addr;
    constexpr std::size_t prefix = sizeof result - sizeof ip4;
    std::memset(result.s6_addr + prefix - 2, 0xff, 2);
    std::memcpy(result.s6_addr + prefix, &ip4, sizeof ip4);
    return result;
}

}  // namespace

bool would_accept(const Endpoint& listener, const Endpoint& local) {
    if (listener.family() == AF_UNIX || local.family() == AF_UNIX) return listener == local;
    if (listener.port() != local.port()) return false;
    const auto wanted = address_of(listener);
    const auto there = address_of(local);
    if (IN6_IS_ADDR_UNSPECIFIED(&wanted)) return true;
    const bool any_ip4 = IN6_IS_ADDR_V4MAPPED(&wanted) && wanted.s6_addr32[3] == INADDR_ANY;
    return any_ip4 ? IN6_IS_ADDR_V4MAPPED(&there) : IN6_ARE_ADDR_EQUAL(&wanted, &there);
}

}  // namespace handover
