// SPDX-License-Identifier: MIT
#pragma once

#include "handover/generation.h"
#include "http/server.h"

namespace handoverd {

/// GET /status: a JSON object. POST /reload: hands over; answers when it is done, with status 200
/// or 409 and {"succeeded": bool, "message": text}. Borrows the generation.
void add_admin_routes(handover::http::Server& server, handover::Generation& generation);

}  // namespace handoverd
