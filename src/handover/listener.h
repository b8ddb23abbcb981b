// SPDX-License-Identifier: MIT
#pragma once

#include "handover/endpoint.h"
#include "handover/unique_fd.h"

#include <sys/types.h>

#include <optional>
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
    /// to be answered once and closed: see ParkedConnection::close_after_response.
    bool detached = false;
};

/// A listener that the configuration asks for.
struct WantedListener {
    std::string name;
    Endpoint endpoint;
    /// The endpoint is only a default: whatever is inherited under this name will do, at any
    /// address and however many, and binding happens only if nothing is. Where the kernel has no
    /// IPv6, [::] falls back to 0.0.0.0.
    bool default_only = false;
    /// Of a unix path, set before anybody can connect. nullopt: as the umask has it.
    std::optional<mode_t> unix_mode = std::nullopt;
};

}  // namespace handover
