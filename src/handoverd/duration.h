// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/CLI.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace handoverd {

/// Times as people write them: "500ms", "20s", "2min", "1h". The unit is required.
/// For CLI11: turns the text of an option into a number of milliseconds.
[[nodiscard]] CLI::AsNumberWithUnit duration_in_ms();
/// nullopt if it is no such text, or negative.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string text);

}  // namespace handoverd
