// SPDX-License-Identifier: MIT
#pragma once

#include "handover/endpoint.h"

#include <string>

namespace handoverd {

/// How a browser reaches the live page of an admin listener at this address, in lines for people:
/// by its URL, or from another machine by ssh. `user` may ask there, `host` is this machine. Throws
/// handover::Error (config) if no browser can.
[[nodiscard]] std::string dashboard_url_help(const handover::Endpoint& admin,
                                             const std::string& user, const std::string& host);

/// For `handoverd dashboard`: how a browser reaches the live page, for the user and on the host
/// that this process runs on. Throws handover::Error (config) if no browser can.
[[nodiscard]] std::string dashboard_url_help(const handover::Endpoint& admin);

}  // namespace handoverd
