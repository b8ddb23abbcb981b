// SPDX-License-Identifier: MIT
#pragma once

#include "handover/endpoint.h"

#include <cstdint>
#include <optional>
#include <string>

namespace handover {

/// What the kernel says a descriptor is. Names can lie, getsockopt(2) cannot.
struct Descriptor {
    enum class Kind { closed, stream_listener, stream, seqpacket, other_socket, memory, other };

    Kind kind = Kind::closed;
    /// Who the socket is, whichever descriptor or process it is seen through: SO_COOKIE
    /// (socket(7)). 0 for what is not a socket.
    std::uint64_t cookie = 0;
    /// Of a stream listener with an IP address or a unix name.
    std::optional<Endpoint> endpoint;
    /// For people: "a listening TCP socket on [::]:9999", "a datagram socket", "not open".
    std::string description;

    /// Looks; changes nothing. Borrows `fd`.
    [[nodiscard]] static Descriptor examine(int fd);
};

/// Of the descriptor, so that nobody else notices. Throws Error (os).
void set_cloexec(int fd);

/// O_NONBLOCK on the open file description, which all who hold the same socket share: only for what
/// is ours to use. Throws Error (os).
void set_nonblock(int fd);

}  // namespace handover
