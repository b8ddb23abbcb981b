// SPDX-License-Identifier: MIT
#pragma once

#include "handover/endpoint.h"

#include <string>

namespace handover {

/// Who listens on `endpoint`, as far as /proc tells this user: "nginx, pid 812". Empty if it does
/// not. Reads all of /proc, so it is for error messages only.
[[nodiscard]] std::string holder_of(const Endpoint& endpoint);

}  // namespace handover
