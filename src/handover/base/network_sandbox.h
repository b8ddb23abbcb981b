// SPDX-License-Identifier: MIT
#pragma once

#include "handover/endpoint.h"

#include <string>
#include <string_view>

namespace handover {

/// Is that what systemd's PrivateNetwork=yes looks like from within: a network namespace that is
/// not the service manager's, with no device to the outside? Nobody would ever reach a listener in
/// there. A machine or a container that has no more than loopback is not meant: there the service
/// manager is in the same namespace. `devices` is /proc/net/dev, `unix_sockets` /proc/net/unix
/// (proc(5)), `manager` $NOTIFY_SOCKET.
[[nodiscard]] bool is_private_network(std::string_view devices, std::string_view unix_sockets,
                                      std::string_view manager);

/// Why no listener that this process binds to the endpoint can have a client, whatever bind(2)
/// says: a sandbox keeps the network from it. Empty: it can, or nothing is known against it. Who
/// asks for a loopback address knows who else is in the namespace (JoinsNamespaceOf=).
[[nodiscard]] std::string why_out_of_reach(const Endpoint& endpoint);

}  // namespace handover
