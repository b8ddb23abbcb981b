// SPDX-License-Identifier: MIT
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>

namespace handover::http {

/// The address of one end of a connection in 20 bytes; 15,000 waiting connections keep two each.
/// A value type. Empty for unix sockets, whose ends have no useful names.
class SocketName {
  public:
    SocketName() noexcept = default;
    explicit SocketName(const sockaddr_storage& address) noexcept;
    /// The local end; borrows `fd`.
    [[nodiscard]] static SocketName local_of(int fd) noexcept;

    /// Numeric, as cpp-httplib prints it: "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1".
    [[nodiscard]] std::string ip() const;
    [[nodiscard]] int port() const noexcept { return port_; }
    [[nodiscard]] bool known() const noexcept { return family_ != AF_UNSPEC; }

  private:
    std::uint8_t family_ = AF_UNSPEC;
    std::uint16_t port_ = 0;
    std::array<unsigned char, 16> address_{};
};

}  // namespace handover::http
