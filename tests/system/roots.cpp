// SPDX-License-Identifier: MIT
#include "system/roots.h"

#include "support/child_process.h"

#include <chrono>
#include <cstdlib>
#include <stdexcept>

namespace handover::test {
namespace {

namespace fs = std::filesystem;

/// Runs a script of the tests and returns what it prints.
std::string output_of_script(const std::string& script, const std::vector<std::string>& arguments) {
    std::vector<std::string> command{source_directory() / "tests" / script};
    command.insert(command.end(), arguments.begin(), arguments.end());
    auto finished = run_command(command, std::chrono::minutes(20));
    if (!finished.ok()) throw std::runtime_error(script + " failed: " + finished.err);
    while (!finished.out.empty() && finished.out.back() == '\n') finished.out.pop_back();
    return finished.out;
}

}  // namespace

fs::path source_directory() {
    return HANDOVER_SOURCE_DIR;
}

std::string readme_command(const std::string& name) {
    return output_of_script("readme-command", {name});
}

fs::path packages_of(const std::string& suite) {
    if (std::getenv("HANDOVER_TEST_PREPARED") != nullptr)
        return output_of_script("packages/build", {"--where", suite});
    return output_of_script("packages/build", {suite});
}

fs::path bare_root_of(const std::string& suite) {
    (void)packages_of(suite);  // which say what they depend on
    return output_of_script("packages/target-root", {suite});
}

fs::path development_root_of(const std::string& suite) {
    (void)packages_of(suite);  // which say what they depend on
    return output_of_script("packages/target-root", {"--development", suite});
}

fs::path installed_root_of(const std::string& suite, const std::vector<std::string>& packages) {
    (void)packages_of(suite);
    std::vector<std::string> arguments{suite};
    arguments.insert(arguments.end(), packages.begin(), packages.end());
    return output_of_script("packages/installed-root", arguments);
}

}  // namespace handover::test
