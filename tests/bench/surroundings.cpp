// SPDX-License-Identifier: MIT
#include "bench/surroundings.h"

#include "support/child_process.h"

#include <chrono>

namespace handover::bench {
namespace {

using namespace std::chrono_literals;

/// Its output in one line.
std::string output_of(const std::vector<std::string>& command) {
    auto text = test::run_command(command, 10s).text();
    for (char& character : text)
        if (character == '\n') character = ' ';
    return text;
}

}  // namespace

std::vector<std::string> describe_surroundings(const std::filesystem::path& root) {
    const auto shell = [](const std::string& command) { return output_of({"sh", "-c", command}); };
    return {"Commit " +
                output_of({"git", "-C", HANDOVER_SOURCE_DIR, "describe", "--always", "--dirty"}),
            "Machine: " + shell("nproc") + " × " +
                shell("sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1") + ", kernel " +
                shell("uname -r") +
                ", load average before: " + shell("cut -d ' ' -f 1-3 /proc/loadavg"),
            "Versions: " +
                output_of({"dpkg-query", "--admindir=" + (root / "var/lib/dpkg").string(), "--show",
                           "--showformat=${Package} ${Version}; ", "nginx", "haproxy", "h2o",
                           "libcpp-httplib*", "systemd"}) +
                shell("go version 2>/dev/null")};
}

}  // namespace handover::bench
