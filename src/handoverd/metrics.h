// SPDX-License-Identifier: MIT
#pragma once

#include "handover/generation.h"
#include "http/server.h"

namespace handoverd {

/// GET /metrics on `admin`: the text format of Prometheus, about the generation and its `site`.
/// From now on the site counts in the totals of the generation, which go on. Borrows both.
void add_metrics_route(handover::http::Server& admin, const handover::Generation& generation,
                       handover::http::Server& site);

}  // namespace handoverd
