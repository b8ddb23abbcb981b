// SPDX-License-Identifier: MIT
#pragma once

#include "http/server.h"

#include <nlohmann/json.hpp>

#include <functional>

namespace handoverd {

/// GET / on the admin listener: the live page. GET /live: the part of it that its script asks for
/// again. Both show what `status` returns, which is called on the threads of the server.
void add_page_routes(handover::http::Server& admin, std::function<nlohmann::json()> status);

}  // namespace handoverd
