// SPDX-License-Identifier: MIT
#include "support/programs.h"

#include <cstdlib>
#include <stdexcept>
#include <string_view>

namespace handover::test {
namespace {

constexpr std::string_view own_build = HANDOVER_BUILD;

const char* other_build() {
    return std::getenv("HANDOVER_BUILD_UNDER_TEST");
}

}  // namespace

std::string under_test(const std::string& program) {
    if (other_build() == nullptr) return program;
    if (!program.starts_with(own_build)) throw std::invalid_argument(program + " is of no build");
    return other_build() + program.substr(own_build.size());
}

bool memory_is_watched() {
    return other_build() != nullptr;
}

}  // namespace handover::test
