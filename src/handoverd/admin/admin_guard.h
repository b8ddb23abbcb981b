// SPDX-License-Identifier: MIT
#pragma once

#include "handover/endpoint.h"
#include "http/server.h"

namespace handoverd {

/// A browser sends what a page tells it to, and the operator's browser reaches the admin listener:
/// on a TCP address, or by a tunnel to the unix socket. So the listener answers 403 to a request
/// that a page of somebody else has caused:
///
/// - its Origin or Sec-Fetch-Site says so; following a link, which only reads, is allowed;
/// - its Host is a name that whoever owns it may have pointed at us (DNS rebinding). Addresses and
///   "localhost" are nobody's; on a unix socket, where clients put in what they like, nor is a name
///   without a dot.
///
/// What load balancers and Prometheus ask for, under whatever name, is for everybody: /healthz,
/// /readyz and /metrics.
void refuse_pages_of_others(handover::http::Server& admin, const handover::Endpoint& endpoint);

}  // namespace handoverd
