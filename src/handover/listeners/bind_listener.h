// SPDX-License-Identifier: MIT
#pragma once

#include "handover/listener.h"

namespace handover {

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
void refuse_new_connections(const Listener& listener);

/// Undoes refuse_new_connections(), should the one who did it have been wrong to think it the last.
void admit_new_connections(int fd);

}  // namespace handover
