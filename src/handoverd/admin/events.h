// SPDX-License-Identifier: MIT
#pragma once

#include "handover/generation.h"
#include "http/server.h"

#include <cstddef>

namespace handoverd {

/// GET /events: server-sent events (text/event-stream), as handoverd(8) has them: `lifecycle`, each
/// event once, and `status`, when it has changed. A stream ends when its generation stops
/// accepting; the client comes again, to the successor, and names the last id that it has seen.
///
/// Each stream takes a thread, so there are `streams_max` at a time; who comes then is told 503.
/// Borrows the generation.
void add_events_route(handover::http::Server& admin, const handover::Generation& generation,
                      std::size_t streams_max);

}  // namespace handoverd
