// SPDX-License-Identifier: MIT
#include "http/serve.h"

#include "handover/error.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

namespace handover::http {

int serve(Server& server, const std::string& endpoint, GenerationOptions options) {
    Generation::Exit exit{};
    try {
        Generation generation(Inheritance::discover(), std::move(options));
        generation.serve(server, {{"http", Endpoint::parse(endpoint), /*default_only=*/true}});
        exit = generation.run();
    } catch (const Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return error.exit_status();
    }
    if (exit.cut != 0) ::_exit(exit.status);
    return exit.status;
}

}  // namespace handover::http
