// SPDX-License-Identifier: MIT
#include "system/roots.h"

#include "support/child_process.h"
#include "support/file_content.h"

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
    const auto finished = run_command(command, std::chrono::minutes(20));
    if (!finished.ok()) throw std::runtime_error(script + " failed: " + finished.err);
    return finished.text();
}

/// What a script of tests/packages makes, if need be. Under ctest a test of its own has had it
/// made, see tests/packages/prepare.
fs::path made_by(const std::string& script, const std::vector<std::string>& arguments) {
    const char* prepared = std::getenv("HANDOVER_TEST_PREPARED");
    if (prepared == nullptr) return output_of_script("packages/" + script, arguments);
    std::string name = script;
    for (const auto& argument : arguments) name += "_" + argument;
    return content_of(fs::path(prepared) / name);
}

}  // namespace

fs::path source_directory() {
    return HANDOVER_SOURCE_DIR;
}

std::string readme_command(const std::string& name) {
    return output_of_script("readme-command", {name});
}

fs::path packages_of(const std::string& suite) {
    return made_by("build", {suite});
}

fs::path bare_root_of(const std::string& suite) {
    (void)packages_of(suite);  // which say what they depend on
    return made_by("target-root", {suite});
}

fs::path development_root_of(const std::string& suite) {
    (void)packages_of(suite);  // which say what they depend on
    return made_by("target-root", {"--development", suite});
}

fs::path installed_root_of(const std::string& suite, const std::vector<std::string>& packages) {
    (void)packages_of(suite);
    std::vector<std::string> arguments{suite};
    arguments.insert(arguments.end(), packages.begin(), packages.end());
    return made_by("installed-root", arguments);
}

}  // namespace handover::test
