// SPDX-License-Identifier: MIT
#pragma once

#include "handoverd/files/static_files.h"
#include "http/server.h"

#include <cstdint>
#include <functional>

namespace handoverd {

/// /hello (GET, HEAD, POST): "hello world", with the headers Handover-Generation and Handover-Pid;
/// /hello?sleep=20s answers after that time, at most 60 s. Below /: the files of a root, if any;
/// see StaticFiles. What is not there, forbidden and so on is said in one line of text.
/// `with_health`: no file stands in the way of the health routes, which somebody else adds.
void add_public_routes(handover::http::Server& server, std::function<std::uint64_t()> generation,
                       const StaticFilesOptions& files, bool with_health);

}  // namespace handoverd
