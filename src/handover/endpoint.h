// SPDX-License-Identifier: MIT
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace handover {

/// Where a listener listens: an IP address and port, or a unix socket.
///
///     [::]:9999   0.0.0.0:80   127.0.0.1:0   :9999 (= [::]:9999)   unix:/run/x.sock   unix:@name
///
/// An IPv6 address needs its brackets; host names are not looked up (a listener must not depend on
/// a resolver). Port 0 lets the kernel choose. `[::]` also takes IPv4 (dual stack, ipv6(7)), and
/// `@` begins the name of an abstract socket (unix(7)).
///
/// A value type: copies are independent, and an object that nobody changes may be read by any
/// thread. It opens no socket and owns no descriptor.
class Endpoint {
  public:
    /// Reads one of the forms above. Throws Error (config) that names the text and its fault.
    [[nodiscard]] static Endpoint parse(std::string_view text);
    /// The local address of the socket `fd`, which is borrowed (getsockname(2)). nullopt if `fd` is
    /// no bound socket of IP or unix.
    [[nodiscard]] static std::optional<Endpoint> of_socket(int fd);

    /// A text that parse() reads as this endpoint. IPv6 has its brackets, and ":9999" has become
    /// "[::]:9999". The name of an abstract socket may hold any bytes: see printable().
    [[nodiscard]] std::string to_string() const;

    /// AF_INET, AF_INET6 or AF_UNIX.
    [[nodiscard]] sa_family_t family() const noexcept { return address_.ss_family; }
    /// For bind(2) and connect(2). It points into this object.
    [[nodiscard]] const sockaddr* address() const noexcept;
    /// How many bytes at address() belong to it.
    [[nodiscard]] socklen_t address_length() const noexcept { return length_; }
    /// The TCP port in host byte order: 0 if the kernel is to choose, and for a unix socket.
    [[nodiscard]] std::uint16_t port() const noexcept;
    /// Is it an IP address that only this machine reaches: 127.0.0.0/8 or ::1? False for a unix
    /// socket.
    [[nodiscard]] bool is_loopback() const noexcept;
    /// The file of a unix socket; empty for an abstract one and for IP.
    [[nodiscard]] std::string unix_path() const;

    /// Would a socket bound to `bound` do for this endpoint? It has to be equal, or this one's port
    /// is 0 and all else is equal.
    [[nodiscard]] bool matches(const Endpoint& bound) const;
    /// Do both have the same text? Flow labels and padding do not count.
    friend bool operator==(const Endpoint& a, const Endpoint& b);

  private:
    Endpoint() = default;
    sockaddr_storage address_{};
    socklen_t length_ = 0;
};

}  // namespace handover
