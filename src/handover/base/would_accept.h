// SPDX-License-Identifier: MIT
#pragma once

#include "handover/endpoint.h"

namespace handover {

/// Would a listener there have accepted a connection to this local address? [::] takes IPv4, too.
[[nodiscard]] bool would_accept(const Endpoint& listener, const Endpoint& local);

}  // namespace handover
