// SPDX-License-Identifier: MIT
#pragma once

#include "http/server.h"

#include <cstdint>
#include <functional>
#include <string>

namespace handoverd {

/// /hello (GET, HEAD, POST): "hello world", with the headers Handover-Generation and Handover-Pid;
/// /hello?sleep=20s answers after that time, at most 60 s. Below /: the files of `root`, if any;
/// see StaticFiles.
void add_public_routes(handover::http::Server& server, std::function<std::uint64_t()> generation,
                       const std::string& root);

}  // namespace handoverd
