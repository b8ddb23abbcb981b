// SPDX-License-Identifier: MIT
#pragma once

#include "handover/unique_fd.h"

#include <string>

namespace handover {

/// A connection between two requests, on its way from one generation to the next. No thread and no
/// epoll set of its old generation knows it any more; what the client has sent and nobody has
/// received yet travels in the socket itself. Move-only, for it owns its descriptor. Not
/// thread-safe.
struct ParkedConnection {
    UniqueFd fd;           ///< owned: an established stream socket, O_NONBLOCK and O_CLOEXEC
    std::string listener;  ///< Listener::name of the one that accepted it
    /// Received and not yet answered, in the order in which it came: a part of a request, or
    /// requests sent ahead. The next generation looks at these bytes before it reads the socket.
    std::string unread;
    /// Its listener is not configured any more: the service is to close it with its next response,
    /// or when it has been idle for too long. This does not travel: a service that gives such a
    /// connection away leaves it false, and the next generation finds out by itself.
    bool close_after_response = false;
};

/// Adopts the connection and closes it so that the client sees an end of file and not a reset: it
/// sends FIN and discards what has arrived, 64 KiB of it at most (RFC 9112, section 9.6). Nobody is
/// told, and ParkedConnection::unread is lost. Does not wait, does not throw. Thread-safe.
void close_politely(ParkedConnection connection);

}  // namespace handover
