// SPDX-License-Identifier: MIT
#pragma once

#include "handover/generation.h"
#include "http/server.h"

#include <string>

namespace handover::http {

/// The last line of main(): serves until this generation has ended, and returns main()'s exit
/// status. It makes any cpp-httplib program restart without losing a request:
///
///     int main() {
///         handover::http::Server server;                       // was: httplib::Server server;
///         server.Get("/hi", ...);
///         return handover::http::serve(server, "[::]:8080");   // was: server.listen("::", 8080);
///     }
///
/// `kill -USR2` or `kill -HUP` starts the program anew from the same path and hands over to it;
/// see Generation for the other signals. `endpoint` is what Endpoint::parse() reads, and a default:
/// a listener inherited from a .socket unit under the name `http`, or without a name, is taken
/// instead, at any address. The server is borrowed.
///
/// Call it on the first thread, before any other thread exists. Throws no Error: a generation that
/// cannot start says why on stderr and returns 71 or 78 (Error::exit_status). If requests were
/// still running at the drain deadline, their threads cannot be joined, and the process ends here,
/// by _exit(2).
[[nodiscard]] int serve(Server& server, const std::string& endpoint,
                        GenerationOptions options = {});

}  // namespace handover::http
