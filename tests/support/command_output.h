// SPDX-License-Identifier: MIT
#pragma once

#include "support/child_process.h"
#include "support/processes.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace handover::test {

/// What a command prints that succeeds.
inline std::string output_of(const std::vector<std::string>& argv,
                             const ChildProcess::Environment& environment = {}) {
    const auto finished = run_command(argv, timeout, environment);
    EXPECT_EQ(finished.exit_status, 0) << finished.err;
    return finished.out;
}

/// The same of child_program in this role.
inline std::string output_of_child(const std::string& role, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {CHILD_PROGRAM, role});
    return output_of(arguments);
}

}  // namespace handover::test
