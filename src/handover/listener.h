// SPDX-License-Identifier: MIT
#pragma once

#include "handover/endpoint.h"
#include "handover/unique_fd.h"

#include <sys/types.h>

#include <optional>
#include <string>

namespace handover {

/// A listening stream socket with its name. A Generation makes it and owns its descriptor, which is
/// O_CLOEXEC and O_NONBLOCK; a Service is lent it. Not thread-safe by itself, but a generation does
/// not change it while a service has it.
///
/// shutdown(2) is never called on it: that would end it for every process that holds it, the
/// service manager included (sd_listen_fds(3)). It is only ever closed.
struct Listener {
    std::string name;   ///< of the WantedListener that it is for: "http", "admin"
    Endpoint endpoint;  ///< the address it is bound to, with the port that the kernel chose for 0
    UniqueFd fd;        ///< owned
    bool inherited = false;  ///< it came with Inheritance; otherwise this generation bound it
    /// The configuration does not ask for it any more. For a short while connections are still
    /// accepted on it, and each is to be closed with its first response; see
    /// ParkedConnection::close_after_response.
    bool detached = false;
};

/// A listener that the configuration asks for. A value type.
struct WantedListener {
    /// By which it is recognised among those inherited: `FileDescriptorName=` in a .socket unit
    /// (systemd.socket(5)). Several may have the same; what is inherited without
    /// a name of its own is recognised by its address.
    std::string name;
    /// Where it is to listen. One that is inherited under `name` but bound elsewhere is detached.
    Endpoint endpoint;
    /// The endpoint is only a default: whatever is inherited under this name will do, at any
    /// address and however many there are, and only if nothing is, one is bound here. Where the
    /// kernel has no IPv6, [::] becomes 0.0.0.0 then.
    bool default_only = false;
    /// Of the file of a unix socket, as chmod(2) takes it; set before anybody can connect. nullopt:
    /// as the umask has it.
    std::optional<mode_t> unix_mode = std::nullopt;
};

}  // namespace handover
