// SPDX-License-Identifier: MIT
#pragma once

#include "handover/inherited_fds.h"
#include "handover/listener.h"
#include "handover/wanted_listener.h"

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

/// socket, bind, listen: SO_REUSEADDR, IPv6 dual stack, backlog 4096 (the kernel caps it at
/// net.core.somaxconn), O_CLOEXEC, O_NONBLOCK. A unix path that exists is replaced only if it is a
/// socket and nobody answers on it. Throws Error (os) that names the endpoint and, for an address
/// in use, who holds it where /proc tells; or Error (config) where no client could ever come, as a
/// sandbox keeps the network from this process.
[[nodiscard]] Listener bind_listener(const WantedListener& wanted);

/// Lets nobody join the queue of a listener any more, while those who are in it can still be
/// accepted; then closing it resets no connection. For the last holder of a listener that ends for
/// good, as it holds for every process; only adopting the listener again undoes it. TCP: new SYNs
/// are dropped, so that who comes now is refused at its first retry; unix: the path is unlinked.
void turn_away_newcomers(const Listener& listener);

}  // namespace handover
