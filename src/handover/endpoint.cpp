// SPDX-License-Identifier: MIT
#include "handover/endpoint.h"

#include "handover/error.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <charconv>
#include <cstddef>
#include <cstring>

namespace handover {
namespace {

constexpr std::size_t unix_path_offset = offsetof(sockaddr_un, sun_path);

[[noreturn]] void refuse(std::string_view text, const std::string& fault) {
    throw Error(Error::Kind::config,
                "'" + std::string(text) + "' is not an address to listen on: " + fault +
                    " (write [::]:9999, 127.0.0.1:80, :9999, unix:/run/x.sock or unix:@name)");
}

std::uint16_t parse_port(std::string_view text, std::string_view digits) {
    unsigned port = 0;
    auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (digits.empty() || fault == std::errc::invalid_argument ||
        end != digits.data() + digits.size())
        refuse(text, "the port '" + std::string(digits) + "' is not a number");
    if (fault == std::errc::result_out_of_range || port > 65535)
        refuse(text, "the port " + std::string(digits) + " is above 65535");
    return static_cast<std::uint16_t>(port);
}

socklen_t fill_ip4(sockaddr_storage& storage, std::string_view text, const std::string& host,
                   std::uint16_t port) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    if (::inet_pton(AF_INET, host.c_str(), &in.sin_addr) != 1)
        refuse(text, "'" + host + "' is not an IP address (host names are not looked up)");
    std::memcpy(&storage, &in, sizeof in);
    return sizeof in;
}

socklen_t fill_ip6(sockaddr_storage& storage, std::string_view text, const std::string& host,
                   std::uint16_t port) {
    sockaddr_in6 in6{};
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(port);
    if (::inet_pton(AF_INET6, host.c_str(), &in6.sin6_addr) != 1)
        refuse(text, "'" + host + "' is not an IPv6 address");
    std::memcpy(&storage, &in6, sizeof in6);
    return sizeof in6;
}

socklen_t fill_unix(sockaddr_storage& storage, std::string_view text, std::string_view path) {
    sockaddr_un un{};
    un.sun_family = AF_UNIX;
    if (path.empty() || path == "@") refuse(text, "the path is empty");
    if (path.find('\0') != std::string_view::npos) refuse(text, "the path contains a NUL byte");
    const bool abstract = path.front() == '@';
    if (!abstract && path.front() != '/') refuse(text, "the path is not absolute");
    // A path keeps its terminating NUL; an abstract name has none (unix(7)).
    if (path.size() + (abstract ? 0 : 1) > sizeof un.sun_path)
        refuse(text,
               "the path is longer than " + std::to_string(sizeof un.sun_path - 1) + " bytes");
    std::memcpy(un.sun_path, path.data(), path.size());
    if (abstract) un.sun_path[0] = '\0';
    std::memcpy(&storage, &un, sizeof un);
    return static_cast<socklen_t>(unix_path_offset + path.size() + (abstract ? 0 : 1));
}

}  // namespace

Endpoint Endpoint::parse(std::string_view text) {
    Endpoint endpoint;
    constexpr std::string_view unix_prefix = "unix:";
    if (text.starts_with(unix_prefix)) {
        endpoint.length_ = fill_unix(endpoint.address_, text, text.substr(unix_prefix.size()));
        return endpoint;
    }
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) refuse(text, "there is no ':port'");
    const auto host = text.substr(0, colon);
    const auto digits = text.substr(colon + 1);
    if (host.starts_with('[')) {
        if (!host.ends_with(']')) refuse(text, "the ']' is missing or is not followed by ':port'");
        endpoint.length_ =
            fill_ip6(endpoint.address_, text, std::string(host.substr(1, host.size() - 2)),
                     parse_port(text, digits));
    } else if (host.find(':') != std::string_view::npos) {
        refuse(text, "an IPv6 address needs brackets, as in [::1]:9999");
    } else if (host.empty()) {
        endpoint.length_ = fill_ip6(endpoint.address_, text, "::", parse_port(text, digits));
    } else {
        endpoint.length_ =
            fill_ip4(endpoint.address_, text, std::string(host), parse_port(text, digits));
    }
    return endpoint;
}

std::optional<Endpoint> Endpoint::of_socket(int fd) {
    Endpoint endpoint;
    endpoint.length_ = sizeof endpoint.address_;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&endpoint.address_), &endpoint.length_) != 0)
        return std::nullopt;
    switch (endpoint.family()) {
        case AF_INET:
        case AF_INET6:
            return endpoint;
        case AF_UNIX:
            // An unnamed unix socket has no address to speak of.
            if (endpoint.length_ <= unix_path_offset) return std::nullopt;
            return endpoint;
        default:
            return std::nullopt;
    }
}

std::string Endpoint::to_string() const {
    char host[INET6_ADDRSTRLEN] = "";
    switch (family()) {
        case AF_INET: {
            const auto* in = reinterpret_cast<const sockaddr_in*>(&address_);
            ::inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
            return std::string(host) + ":" + std::to_string(port());
        }
        case AF_INET6: {
            const auto* in6 = reinterpret_cast<const sockaddr_in6*>(&address_);
            ::inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
            return "[" + std::string(host) + "]:" + std::to_string(port());
        }
        default: {
            const auto* un = reinterpret_cast<const sockaddr_un*>(&address_);
            if (auto path = unix_path(); !path.empty()) return "unix:" + path;
            return "unix:@" + std::string(un->sun_path + 1, length_ - unix_path_offset - 1);
        }
    }
}

const sockaddr* Endpoint::address() const noexcept {
    return reinterpret_cast<const sockaddr*>(&address_);
}

std::uint16_t Endpoint::port() const noexcept {
    if (family() == AF_INET)
        return ntohs(reinterpret_cast<const sockaddr_in*>(&address_)->sin_port);
    if (family() == AF_INET6)
        return ntohs(reinterpret_cast<const sockaddr_in6*>(&address_)->sin6_port);
    return 0;
}

bool Endpoint::is_loopback() const noexcept {
    if (family() == AF_INET)
        return ntohl(reinterpret_cast<const sockaddr_in*>(&address_)->sin_addr.s_addr) >> 24U ==
               IN_LOOPBACKNET;
    return family() == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(&address_)->sin6_addr);
}

std::string Endpoint::unix_path() const {
    if (family() != AF_UNIX) return {};
    const auto* un = reinterpret_cast<const sockaddr_un*>(&address_);
    return {un->sun_path, ::strnlen(un->sun_path, length_ - unix_path_offset)};
}

bool Endpoint::matches(const Endpoint& bound) const {
    if (port() != 0 || family() == AF_UNIX) return *this == bound;
    if (family() != bound.family()) return false;
    if (family() == AF_INET)
        return reinterpret_cast<const sockaddr_in*>(&address_)->sin_addr.s_addr ==
               reinterpret_cast<const sockaddr_in*>(&bound.address_)->sin_addr.s_addr;
    return std::memcmp(&reinterpret_cast<const sockaddr_in6*>(&address_)->sin6_addr,
                       &reinterpret_cast<const sockaddr_in6*>(&bound.address_)->sin6_addr,
                       sizeof(in6_addr)) == 0;
}

// The text is a normal form of what can differ between two listeners, so it is compared, not the
// bytes of the sockaddr, which carry padding and flow labels.
bool operator==(const Endpoint& a, const Endpoint& b) {
    return a.to_string() == b.to_string();
}

}  // namespace handover
