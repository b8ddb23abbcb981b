// SPDX-License-Identifier: MIT
#pragma once

#include "process/process_fixture.h"
#include "support/file_content.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace handover::test {

using Names = std::set<std::string>;
using Lines = std::vector<std::string>;

inline Lines lines_of(const std::string& text) {
    Lines lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

/// A file of the source tree. Throws std::runtime_error if it cannot be read.
inline Lines source_file(const std::string& path) {
    return lines_of(content_of(std::filesystem::path(HANDOVER_SOURCE) / path));
}

/// What the first group of the pattern matches in the lines, which it is applied to one by one.
inline Names all_in(const Lines& lines, const std::string& pattern) {
    const std::regex regex(pattern);
    Names names;
    for (const auto& line : lines)
        for (std::sregex_iterator match(line.begin(), line.end(), regex), end; match != end;
             ++match)
            names.insert((*match)[1]);
    return names;
}

/// What `handoverd --help` or `handoverd COMMAND --help` shows.
struct Help {
    Names commands;
    Names options;  ///< the long names, with their dashes
    std::map<std::string, std::string> defaults;
    std::map<std::string, Names> values;  ///< of an option that takes one of a few
};

/// The default of an option stands before its description: "=20s", or " [20s]" with the CLI11 of
/// Debian 13.
inline Help read_help(const Lines& lines) {
    const std::regex option(R"(^ {2,20}(?:-\w, *)?(--[a-z][a-z-]*)((?:=\S+)?(?: \S+)*))");
    const std::regex standard(R"((?:=| \[)([^=\[\]{} ]+)\]?$)");
    const std::regex command("^ {2,4}([a-z]+)(?: |$)");
    Help help;
    bool below_subcommands = false;
    for (const auto& line : lines) {
        std::smatch match;
        if (line.starts_with("Subcommands:") || line.starts_with("SUBCOMMANDS:"))
            below_subcommands = true;
        if (below_subcommands && std::regex_search(line, match, command))
            help.commands.insert(match[1]);
        if (below_subcommands || !std::regex_search(line, match, option)) continue;
        const std::string name = match[1];
        const std::string values = match[2];
        help.options.insert(name);
        if (std::regex_search(values, match, standard)) help.defaults[name] = match[1];
        if (const auto few = all_in({values}, "[{,]([a-z]+)(?=[,}])"); !few.empty())
            help.values[name] = few;
    }
    return help;
}

/// What is written about handoverd in other places than the program, beside what the program says.
class DocumentationTest : public ProcessTest {
  protected:
    /// The defaults are those under the unit.
    static Help ask_for_help(std::vector<std::string> arguments = {}) {
        arguments.insert(arguments.begin(), program_under_test());
        arguments.emplace_back("--help");
        const auto finished =
            run_command(arguments, timeout, {{"RUNTIME_DIRECTORY", "/run/handoverd"}});
        if (!finished.ok()) throw std::runtime_error("--help fails: " + finished.err);
        return read_help(lines_of(finished.out));
    }

    /// The options that only this command has.
    static Names own_options(const std::string& command) {
        auto options = ask_for_help({command}).options;
        options.erase("--help");
        return options;
    }

    static void expect_same(const Names& found, const Names& wanted, const std::string& where,
                            const std::string& who_says = "handoverd --help") {
        EXPECT_FALSE(wanted.empty()) << who_says << " was not understood";
        for (const auto& name : wanted)
            EXPECT_TRUE(found.contains(name))
                << where << ": add '" << name << "', which " << who_says << " has";
        for (const auto& name : found)
            EXPECT_TRUE(wanted.contains(name))
                << where << ": take out '" << name << "', which " << who_says << " does not have";
    }

    const Help help_ = ask_for_help();
    /// Those of all commands.
    const Names options_ = [this] {
        auto all = help_.options;
        for (const auto& command : help_.commands) all.merge(own_options(command));
        return all;
    }();
};

}  // namespace handover::test
