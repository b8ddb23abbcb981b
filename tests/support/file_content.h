// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace handover::test {

/// All that is in the file, if it can be opened. Through operator<<, which takes it for the end of
/// a file of /proc when the process goes meanwhile.
[[nodiscard]] inline std::optional<std::string> content_if_any(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream content;
    content << file.rdbuf();
    return file.is_open() ? std::optional(content.str()) : std::nullopt;
}

/// The same. Throws std::runtime_error where it cannot be opened.
[[nodiscard]] inline std::string content_of(const std::filesystem::path& path) {
    auto content = content_if_any(path);
    if (!content) throw std::runtime_error("cannot read " + path.string());
    return *std::move(content);
}

}  // namespace handover::test
