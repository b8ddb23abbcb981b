// SPDX-License-Identifier: MIT
// The LISTEN_* variables, one a line: either an Error or as many names as LISTEN_FDS says.
#include "fuzzer.h"
#include "handover/error.h"
#include "handover/systemd/listen_fds.h"

#include <cstdlib>
#include <map>
#include <optional>
#include <sstream>
#include <string>

using handover::ListenEnvironment;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::istringstream lines(std::string(reinterpret_cast<const char*>(data), size));
    std::map<std::string, std::string> variables;
    for (std::string line; std::getline(lines, line);)
        if (const auto equals = line.find('='); equals != std::string::npos)
            variables[line.substr(0, equals)] = line.substr(equals + 1);
    const auto lookup = [&variables](const char* name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
    constexpr pid_t pid = 4711;
    try {
        const auto announced = ListenEnvironment::parse(lookup, pid, 42);
        const auto count = lookup("LISTEN_FDS");
        require(announced.names.size() == (count ? std::strtoull(count->c_str(), nullptr, 10) : 0));
    } catch (const handover::Error& error) {
        require(error.kind() == handover::Error::Kind::config);
    }
    return 0;
}
