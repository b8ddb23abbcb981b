// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace handoverd {

// What options take, on the command line and in the configuration file alike. Of a wrong value each
// says what it is not and what to write instead. None changes the value.

[[nodiscard]] CLI::Validator is_endpoint();
[[nodiscard]] CLI::Validator is_cache_rule();
[[nodiscard]] CLI::Validator is_duration();
[[nodiscard]] CLI::Validator is_directory();
[[nodiscard]] CLI::Validator is_number_within(std::uint64_t least, std::uint64_t most);
[[nodiscard]] CLI::Validator is_one_of(const std::vector<std::string>& words);

}  // namespace handoverd
