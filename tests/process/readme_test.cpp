// SPDX-License-Identifier: MIT
// What the README shows of a terminal is what one sees.

#include "process/connections_fixture.h"
#include "process/documentation_fixture.h"

#include <regex>
#include <string>
#include <utility>
#include <vector>

namespace handover::test {
namespace {

/// The lines of a code block of the README, see tests/readme-command.
std::string readme_command(const std::string& name) {
    const auto script = std::filesystem::path(HANDOVER_SOURCE) / "tests/readme-command";
    const auto finished = run_command({script, name}, timeout);
    if (!finished.ok()) throw std::runtime_error("readme-command failed: " + finished.err);
    return finished.out;
}

struct Command {
    std::string name;  ///< "reload" of "$ handoverd reload"
    std::string shown;
};

std::vector<Command> commands_in(const std::string& session) {
    std::vector<Command> commands;
    std::smatch match;
    for (const auto& line : lines_of(session)) {
        if (std::regex_match(line, match, std::regex(R"(\$ handoverd ([a-z]+))")))
            commands.push_back({match[1], {}});
        else if (line.starts_with("$") || commands.empty())
            throw std::runtime_error("the test cannot run: " + line);
        else
            commands.back().shown += line + "\n";
    }
    return commands;
}

/// Without what is another one each time: numbers, builds, addresses, the width of columns.
std::string shape_of(std::string text) {
    const std::vector<std::pair<std::regex, std::string>> differences = {
        {std::regex(R"(build [0-9a-f]+)"), "build B"},
        {std::regex(R"((\[::\]|127\.0\.0\.1):\d+)"), "ADDRESS"},
        {std::regex(R"(unix:\S+)"), "ADDRESS"},
        {std::regex(R"(\d+(\.\d+)?)"), "N"},
        {std::regex(" +"), " "}};
    for (const auto& [difference, same] : differences)
        text = std::regex_replace(text, difference, same);
    return text;
}

class Readme : public ConnectionsTest {};

TEST_F(Readme, shows_what_reload_and_status_print_while_some_requests_take_long) {
    const auto commands = commands_in(readme_command("session"));
    ASSERT_EQ(commands.size(), 2U);
    Daemon daemon(directory_, with_options(with_long_idle_timeout()));
    auto idle = idle_clients(daemon.address(), 3);
    HeldRequest first(daemon.address());
    HeldRequest second(daemon.address());
    for (const auto& [name, shown] : commands) {
        const auto finished = run_command(daemon.command(name), timeout);
        EXPECT_TRUE(finished.ok()) << finished.err;
        EXPECT_EQ(shape_of(finished.out), shape_of(shown)) << finished.out;
        EXPECT_TRUE(eventually([&] {
            return daemon.status().at("generations").back().at("connections") == 2;
        })) << "all but those of the long requests have gone: "
            << daemon.status();
    }
}

}  // namespace
}  // namespace handover::test
