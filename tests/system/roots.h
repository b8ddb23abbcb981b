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

/// A Debian release's root file system with these packages, made if need be.
[[nodiscard]] std::filesystem::path root_of(const std::string& suite,
                                            const std::vector<std::string>& packages = {});
/// The same with what the packages below say that they depend on, and curl; nothing else.
[[nodiscard]] std::filesystem::path bare_root_of(const std::string& suite);
/// The directory of the Debian packages that have been built in it, see tests/packages/build.
[[nodiscard]] std::filesystem::path packages_of(const std::string& suite);
/// The directory of the programs that have been built in it. Under ctest a test of its own has
/// built them before; by hand this does.
[[nodiscard]] std::filesystem::path programs_of(const std::string& suite);

}  // namespace handover::test
