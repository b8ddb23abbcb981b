// SPDX-License-Identifier: MIT
#pragma once

#include "handover/unique_fd.h"

#include <string>

namespace handover {

/// A connection between two requests, on its way from one generation to the next. No thread and no
/// epoll set of its old generation knows it any more; what the client has sent and nobody has
/// received yet travels in the socket itself.
struct ParkedConnection {
    UniqueFd fd;           ///< established and non-blocking
    std::string listener;  ///< name of the listener that it came from
    /// Received and not yet answered, in order: a part of a request, or requests sent ahead. The
    /// next generation looks at them before it reads from the socket.
    std::string unread;
    /// Its listener is not configured any more: to be closed with its next response, or when it has
    /// been idle for too long. It does not travel: who hands such a connection over forgets it.
    bool close_after_response = false;
};

/// Ends it so that the client sees an end and not a reset: FIN, and nothing that has arrived is
/// left unread (RFC 9112, section 9.6). Does not wait.
void close_politely(ParkedConnection connection);

}  // namespace handover
