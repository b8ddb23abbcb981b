// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace handoverd {

/// All of main() but the version of the program, which is the one thing that two builds of the same
/// source may differ in: does what the command line asks for and returns the exit status. Whatever
/// went wrong has been told on stderr, and to a predecessor that started this process.
[[nodiscard]] int run_command(int argc, const char* const* argv, const std::string& version);

}  // namespace handoverd
