// SPDX-License-Identifier: MIT
#include "support/programs.h"

#include <cstdlib>

namespace handover::test {
namespace {

const char* other_build() {
    return std::getenv("HANDOVER_BUILD_UNDER_TEST");
}

std::string built(const char* path) {
    const char* other = other_build();
    return std::string(other ? other : HANDOVER_BUILD) + "/" + path;
}

}  // namespace

std::string handoverd_program() {
    return built(HANDOVERD_PROGRAM);
}

std::string handoverd_next_program() {
    return built(HANDOVERD_NEXT_PROGRAM);
}

std::string stepping_clock_program() {
    return built(HANDOVERD_STEPPING_CLOCK_PROGRAM);
}

std::string hello_http_program() {
    return built(HELLO_HTTP_PROGRAM);
}

std::string echo_tcp_program() {
    return built(ECHO_TCP_PROGRAM);
}

std::filesystem::path program_under_test() {
    const char* given = std::getenv("HANDOVERD_UNDER_TEST");
    return given ? given : handoverd_program();
}

bool memory_is_watched() {
    return other_build() != nullptr;
}

}  // namespace handover::test
