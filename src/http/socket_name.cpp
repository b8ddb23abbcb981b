// SPDX-License-Identifier: MIT
#include "http/socket_name.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>

namespace handover::http {
namespace {

/// inet_ntop() goes by way of sprintf(), which is felt: httplib wants both ends for each request.
std::string v4_text(std::string_view prefix, const unsigned char* address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    char* end = std::copy(prefix.begin(), prefix.end(), text.data());
    for (int i = 0; i < 4; ++i) {
        if (i > 0) *end++ = '.';
        end = std::to_chars(end, text.data() + text.size(), address[i]).ptr;
    }
    return {text.data(), end};
}

}  // namespace

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
    constexpr std::array<unsigned char, 12> v4_mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (family_ == AF_INET) return v4_text("", address_.data());
    if (family_ != AF_INET6) return {};
    if (std::equal(v4_mapped.begin(), v4_mapped.end(), address_.begin()))
        return v4_text("::ffff:", address_.data() + v4_mapped.size());
    std::array<char, INET6_ADDRSTRLEN> text{};
    const char* printed = ::inet_ntop(AF_INET6, address_.data(), text.data(), text.size());
    return printed != nullptr ? printed : "";
}

}  // namespace handover::http
