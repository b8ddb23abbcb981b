// SPDX-License-Identifier: MIT
#pragma once

#include <spdlog/spdlog.h>

#include <string>

namespace handoverd {

/// Sends spdlog's default logger to stderr: with the priority prefixes of sd-daemon(3) where stderr
/// is the journal, as readable lines elsewhere. Each message is one line of printable() text.
/// `level`: debug, info, warning, error.
void set_up_log(const std::string& level);

}  // namespace handoverd
