// SPDX-License-Identifier: MIT
#pragma once

#include "handover/generation.h"
#include "http/server.h"

namespace handoverd {

/// GET /status: a JSON object, see status_json.h. POST /reload: hands over; answers when it is
/// done, with status 200 or 409 and {"succeeded": bool, "from": number, "to": number, "message":
/// text}. GET /status?after=probation answers when the generation is past its own. Borrows the
/// generation.
void add_admin_routes(handover::http::Server& server, handover::Generation& generation);

/// GET /healthz: 200, we live. GET /readyz: 200, or 503 while the service stops or waits for a
/// restart; a reload changes nothing. For the admin listener, and for a public one that a load
/// balancer asks. Borrows the generation.
void add_health_routes(handover::http::Server& server, const handover::Generation& generation);

/// For ServerOptions::admits. On a unix socket root and the user that we run as (SO_PEERCRED,
/// unix(7)): the mode of its path says the same, but an abstract name has none. A TCP address is
/// there because somebody has configured it.
[[nodiscard]] bool may_administer(int connection);

}  // namespace handoverd
