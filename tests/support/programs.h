// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace handover::test {

/// A program of this build, or the same one of the build whose directory HANDOVER_BUILD_UNDER_TEST
/// names in the environment: one with a sanitizer, which tests that start it need not have.
[[nodiscard]] std::string under_test(const std::string& program);

/// A sanitizer keeps what is freed, and notes about what is not.
[[nodiscard]] bool memory_is_watched();

}  // namespace handover::test
