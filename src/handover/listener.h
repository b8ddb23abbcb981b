// SPDX-License-Identifier: MIT
#pragma once

#include "handover/endpoint.h"
#include "handover/unique_fd.h"

#include <string>

namespace handover {

/// A listening socket with its name. Owns the descriptor, which is O_CLOEXEC and O_NONBLOCK.
///
/// shutdown(2) is never called on it: that would end it for every process that holds it, the
/// service manager included (sd_listen_fds(3)). It is only ever closed.
struct Listener {
    std::string name;   ///< its role: "http", "admin"
    Endpoint endpoint;  ///< the address it is really bound to (port 0 is resolved)
    UniqueFd fd;
    bool inherited = false;  ///< from LISTEN_FDS; otherwise bound by this generation
    /// Not configured any more. For a short while connections are still accepted on it, and each is
    /// to be answered once and closed: see ParkedConnection::leaving.
    bool leaving = false;
};

}  // namespace handover
