// SPDX-License-Identifier: MIT
#pragma once

#include "handover/generation.h"
#include "http/server.h"

namespace handoverd {

/// From now on the site counts in the counters of the generation, which go on, and which it
/// borrows.
void count_requests(handover::http::Server& site, const handover::Generation& generation);

/// GET /metrics on `server`: the text format of Prometheus, about the generation and its `site`,
/// which it borrows.
void add_metrics_route(handover::http::Server& server, const handover::Generation& generation,
                       const handover::http::Server& site);

}  // namespace handoverd
