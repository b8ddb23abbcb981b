// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace handover::bench {

/// What the numbers depend on: the machine, how busy it is, and the versions of the servers.
[[nodiscard]] std::vector<std::string> describe_surroundings(const std::filesystem::path& root);

}  // namespace handover::bench
