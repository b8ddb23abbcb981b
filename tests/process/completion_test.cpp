// SPDX-License-Identifier: MIT
// The completions for shells offer what the program takes.

#include "process/documentation_fixture.h"

#include <algorithm>
#include <iterator>

namespace handover::test {
namespace {

namespace fs = std::filesystem;

const std::string directory_of_completions = "src/handoverd/completions/";
const std::string bash_completion = directory_of_completions + "handoverd.bash";

class Completion : public DocumentationTest {
  protected:
    void expect_options(const std::string& file, const std::string& pattern,
                        const std::string& dashes) const {
        const auto path = directory_of_completions + file;
        Names options;
        for (const auto& name : all_in(source_file(path), pattern)) options.insert(dashes + name);
        expect_same(options, options_, path);
    }
    void expect_commands(const std::string& file, const std::string& pattern) const {
        const auto path = directory_of_completions + file;
        expect_same(all_in(source_file(path), pattern), help_.commands, path);
    }
    void expect_values(const std::string& file, const std::string& option,
                       const std::string& pattern) const {
        const auto path = directory_of_completions + file;
        const auto list = all_in(source_file(path), pattern);
        expect_same(all_in({list.begin(), list.end()}, "([a-z]+)"), help_.values.at(option),
                    path + ", " + option);
    }
};

TEST_F(Completion, of_zsh_has_every_command_option_and_value_and_no_other) {
    expect_commands("_handoverd", "^ +'([a-z]+):");
    expect_options("_handoverd", "(--[a-z][a-z-]*)", "");
    expect_values("_handoverd", "--log-level", R"(--log-level=.*:\(([a-z ]+)\))");
    expect_values("_handoverd", "--access-log", R"(--access-log=.*:\(([a-z ]+)\))");
}

TEST_F(Completion, of_fish_has_every_command_option_and_value_and_no_other) {
    expect_commands("handoverd.fish", "__fish_use_subcommand -a ([a-z]+)");
    expect_options("handoverd.fish", " -l ([a-z][a-z-]*)", "--");
    expect_values("handoverd.fish", "--log-level", "-l log-level -xa '([a-z ]+)'");
    expect_values("handoverd.fish", "--access-log", "-l access-log -xa '([a-z ]+)'");
}

TEST_F(Completion, of_bash_has_every_option_and_no_other) {
    expect_options("handoverd.bash", "(--[a-z][a-z-]*)", "");
}

class BashCompletion : public Completion {
  protected:
    /// What bash offers for the last of these words, which are split as it would split them.
    /// compopt is replaced, as it fails unless somebody has pressed a key.
    [[nodiscard]] static Names completed(const std::vector<std::string>& words) {
        const auto* const script = R"sh(
            compopt() { :; }
            source "$1" && shift || exit
            read -r _ _ function command <<<"$(complete -p handoverd)"
            [[ $command == handoverd ]] || exit
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
            "$function" handoverd "${@: -1}" "${@: -2:1}" && printf '%s\n' "${COMPREPLY[@]}")sh";
        const auto file = fs::path(HANDOVER_SOURCE) / bash_completion;
        std::vector<std::string> argv = {"bash", "--norc", "-uc", script, "bash", file};
        argv.insert(argv.end(), words.begin(), words.end());
        const auto finished = run_command(argv, timeout);
        EXPECT_TRUE(finished.ok()) << finished.exit_status << ": " << finished.err;
        EXPECT_EQ(finished.err, "");
        auto names = all_in(lines_of(finished.out), "^(.*)$");
        names.erase("");
        return names;
    }

    static Names beginning_with(const std::string& prefix, const Names& all) {
        Names some;
        std::copy_if(all.begin(), all.end(), std::inserter(some, some.end()),
                     [&](const std::string& name) { return name.starts_with(prefix); });
        return some;
    }
};

TEST_F(BashCompletion, offers_commands_first) {
    expect_same(completed({"handoverd", ""}), help_.commands, bash_completion);
    EXPECT_EQ(completed({"handoverd", "re"}), Names{"reload"});
    EXPECT_EQ(completed({"handoverd", "--threads", "8", "st"}), Names{"status"});
}

TEST_F(BashCompletion, offers_options_before_and_after_a_command) {
    EXPECT_EQ(completed({"handoverd", "--"}), help_.options);
    EXPECT_EQ(completed({"handoverd", "--dr"}), beginning_with("--dr", help_.options));
    EXPECT_TRUE(completed({"handoverd", "--dr"}).contains("--drain-timeout"));
    for (const auto& command : help_.commands) {
        auto expected = own_options(command);
        expected.insert(help_.options.begin(), help_.options.end());
        EXPECT_EQ(completed({"handoverd", command, "--"}), expected) << command;
        EXPECT_EQ(completed({"handoverd", command, ""}), expected) << command;
    }
}

TEST_F(BashCompletion, offers_the_values_of_an_option) {
    expect_same(completed({"handoverd", "--log-level", ""}), help_.values.at("--log-level"),
                bash_completion + ", --log-level");
    EXPECT_EQ(completed({"handoverd", "--log-level", "=", "w"}), Names{"warning"});
    EXPECT_EQ(completed({"handoverd", "--log-level", "="}), help_.values.at("--log-level"));
    EXPECT_EQ(completed({"handoverd", "--access-log", ""}), (Names{"off", "combined", "json"}));
    fs::create_directory(directory_ / "www");
    install_text("", fs::perms::owner_read, directory_ / "wrong");
    const auto part = (directory_ / "w").string();
    const Names directories = {(directory_ / "www").string()};
    EXPECT_EQ(completed({"handoverd", "--root", part}), directories);
    EXPECT_EQ(completed({"handoverd", "--config", part}),
              (Names{directory_ / "www", directory_ / "wrong"}));
    EXPECT_EQ(completed({"handoverd", "--access-log-file", part}),
              (Names{directory_ / "www", directory_ / "wrong"}));
}

TEST_F(BashCompletion, offers_nothing_for_a_value_that_only_its_user_knows) {
    for (const auto& [option, standard] : help_.defaults) {
        if (option == "--log-level" || option == "--access-log" || option == "--config") continue;
        EXPECT_EQ(completed({"handoverd", option, ""}), Names{})
            << bash_completion << ": add " << option << " to those with a value";
    }
    EXPECT_EQ(completed({"handoverd", "--listen", ""}), Names{});
}

}  // namespace
}  // namespace handover::test
