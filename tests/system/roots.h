// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace handover::test {

/// The source tree that is tested.
[[nodiscard]] std::filesystem::path source_directory();

/// The lines of a code block of the README, see tests/readme-command.
[[nodiscard]] std::string readme_command(const std::string& name);

/// The directory of the Debian packages that have been built for that release, see
/// tests/packages/build. Under ctest a test of its own has built them before; by hand this does.
[[nodiscard]] std::filesystem::path packages_of(const std::string& suite);
/// A root file system with what handoverd says that it depends on, and curl; nothing else.
[[nodiscard]] std::filesystem::path bare_root_of(const std::string& suite);
/// A root with what our library packages say that they depend on, a compiler, CMake, and curl;
/// nothing else.
[[nodiscard]] std::filesystem::path development_root_of(const std::string& suite);
/// A bare root with these packages, and with handoverd, which apt has installed.
[[nodiscard]] std::filesystem::path installed_root_of(
    const std::string& suite, const std::vector<std::string>& packages = {});

}  // namespace handover::test
