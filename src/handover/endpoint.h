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
/// a resolver). Port 0 lets the kernel choose. `[::]` also takes IPv4 (dual stack). A value type.
class Endpoint {
  public:
    /// Throws Error (config) that names the text and its fault.
    [[nodiscard]] static Endpoint parse(std::string_view text);
    /// The local address of a bound socket; borrows `fd`. nullopt if it is neither IP nor unix.
    [[nodiscard]] static std::optional<Endpoint> of_socket(int fd);

    /// The same text that parse() reads.
    [[nodiscard]] std::string to_string() const;

    [[nodiscard]] sa_family_t family() const noexcept { return address_.ss_family; }
    [[nodiscard]] const sockaddr* address() const noexcept;
    [[nodiscard]] socklen_t address_length() const noexcept { return length_; }
    /// 0 for a unix socket.
    [[nodiscard]] std::uint16_t port() const noexcept;
    /// 127.0.0.0/8 or ::1.
    [[nodiscard]] bool is_loopback() const noexcept;
    /// The file of a unix socket; empty for an abstract one and for IP.
    [[nodiscard]] std::string unix_path() const;

    /// Is a socket bound to `bound` what this one asks for? Equal, or equal but for port 0.
    [[nodiscard]] bool matches(const Endpoint& bound) const;
    friend bool operator==(const Endpoint& a, const Endpoint& b);

  private:
    Endpoint() = default;
    sockaddr_storage address_{};
    socklen_t length_ = 0;
};

}  // namespace handover
