// SPDX-License-Identifier: MIT
#pragma once

#include "handover/listener.h"
#include "handover/systemd/listen_fds.h"

#include <string>
#include <vector>

namespace handover {

/// What a generation listens on, and what became of everything it inherited.
struct Listeners {
    std::vector<Listener> active;  ///< in the order wanted
    /// Inherited and no longer wanted, those under a name that nobody knows included. Still open:
    /// as long as the predecessor may take them back, whoever connects is served.
    std::vector<Listener> dropped;
    /// Names of inherited descriptors that mean nothing to this version; they have been closed, but
    /// for listeners, which are among the dropped.
    std::vector<std::string> strangers;
    /// For the operator; each names the descriptor and what was done.
    std::vector<std::string> warnings;

    /// Wanted and inherited: adopted. Wanted and not inherited: bound (see bind_listener).
    /// Descriptors without a name of their own ("unknown", or the "x.socket" that a .socket unit
    /// without FileDescriptorName= uses) are mapped by the address they are bound to.
    /// Throws Error: a descriptor under a wanted name that is not a listening stream socket
    /// (config), or an address that cannot be bound (os).
    [[nodiscard]] static Listeners assemble(std::vector<InheritedFd> inherited,
                                            const std::vector<WantedListener>& wanted);
};

}  // namespace handover
