// SPDX-License-Identifier: MIT
#include "http/socket_name.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>

namespace handover::http {

SocketName::SocketName(const sockaddr_storage& address) noexcept
    : family_(static_cast<std::uint8_t>(address.ss_family)) {
    if (family_ == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &address, sizeof v4);
        port_ = ntohs(v4.sin_port);
        std::memcpy(address_.data(), &v4.sin_addr, sizeof v4.sin_addr);
    } else if (family_ == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &address, sizeof v6);
        port_ = ntohs(v6.sin6_port);
        std::memcpy(address_.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
    }
}

SocketName SocketName::local_of(int fd) noexcept {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
    return SocketName(address);
}

std::string SocketName::ip() const {
    if (family_ != AF_INET && family_ != AF_INET6) return {};
    std::array<char, INET6_ADDRSTRLEN> text{};
    const char* printed = ::inet_ntop(family_, address_.data(), text.data(), text.size());
    return printed != nullptr ? printed : "";
}

}  // namespace handover::http
