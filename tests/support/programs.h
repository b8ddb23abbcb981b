// SPDX-License-Identifier: MIT
// The programs that tests start: those of this build, or of the build whose directory
// HANDOVER_BUILD_UNDER_TEST names in the environment: one with a sanitizer, which the tests
// themselves need not have.
#pragma once

#include <filesystem>
#include <string>

namespace handover::test {

[[nodiscard]] std::string handoverd_program();
/// Another version of it.
[[nodiscard]] std::string handoverd_next_program();
/// One whose wall clock steps.
[[nodiscard]] std::string stepping_clock_program();
[[nodiscard]] std::string hello_http_program();
[[nodiscard]] std::string echo_tcp_program();

/// How to start handoverd: itself, or what HANDOVERD_UNDER_TEST in the environment says, which may
/// run it in another manner (tests/valgrind).
[[nodiscard]] std::filesystem::path program_under_test();

/// A sanitizer keeps what is freed, and notes about what is not.
[[nodiscard]] bool memory_is_watched();

}  // namespace handover::test
