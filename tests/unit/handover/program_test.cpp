// SPDX-License-Identifier: MIT
// Program::remember() tells how a process was started, so child_program is started and asked.

#include "handover/peer/program.h"

#include "handover/build_id.h"
#include "support/command_output.h"
#include "support/temporary_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <string>
#include <vector>

namespace handover::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

/// "executable /x" -> "/x"
std::string value_of(const std::string& output, const std::string& key) {
    std::smatch match;
    return std::regex_search(output, match, std::regex("(^|\n)" + key + " ([^\n]*)\n"))
               ? match[2].str()
               : "";
}

/// In a shell, so that directory and path are as an operator types them.
std::string executable_when_started(const fs::path& directory, const std::string& command) {
    return value_of(output_of({"sh", "-c", "cd '" + directory.string() + "' && " + command}),
                    "executable");
}

TEST(Program, remembers_the_executable_as_it_was_typed) {
    const TemporaryDirectory directory;
    fs::copy_file(CHILD_PROGRAM, directory / "program");
    EXPECT_EQ(executable_when_started("/", (directory / "program").string() + " remember"),
              directory / "program");
    const auto relative = executable_when_started(directory.path(), "./program remember");
    EXPECT_TRUE(fs::path(relative).is_absolute()) << relative;
    EXPECT_EQ(fs::path(relative).lexically_normal(), directory / "program");
}

TEST(Program, finds_the_executable_that_came_from_the_path) {
    const TemporaryDirectory directory;
    fs::copy_file(CHILD_PROGRAM, directory / "program-of-test");
    EXPECT_EQ(executable_when_started(
                  "/", "PATH='" + directory.path().string() + "' program-of-test remember"),
              directory / "program-of-test");
}

TEST(Program, remembers_the_link_and_not_where_it_led) {
    const TemporaryDirectory directory;
    fs::create_directory(directory / "1");
    fs::copy_file(CHILD_PROGRAM, directory / "1/program");
    fs::create_directory_symlink("1", directory / "current");
    const auto typed = (directory / "current").string() + "/program";
    EXPECT_EQ(executable_when_started("/", typed + " remember"), typed);
    fs::create_symlink("current/program", directory / "link");
    EXPECT_EQ(executable_when_started("/", (directory / "link").string() + " remember"),
              directory / "link");
}

TEST(Program, does_not_believe_an_argv0_that_lies) {
    const auto output = output_of({"bash", "-c", "exec -a /bin/true '" CHILD_PROGRAM "' remember"});
    EXPECT_EQ(value_of(output, "executable"), CHILD_PROGRAM);
    EXPECT_EQ(value_of(output, "argument"), "/bin/true") << "but passes it on";
}

TEST(Program, remembers_what_argv0_says_when_the_kernel_was_given_a_descriptor) {
    const TemporaryDirectory directory;
    const auto link = (directory / "link").string();
    fs::create_symlink(CHILD_PROGRAM, link);
    EXPECT_EQ(value_of(output_of({CHILD_PROGRAM, "exec-by-descriptor", link}), "executable"), link);
}

TEST(Program, does_not_believe_argv0_when_the_kernel_was_given_a_descriptor_of_another_file) {
    for (const char* lie : {"/bin/true", "/nonexistent/program", "./relative", "name"})
        EXPECT_EQ(value_of(output_of({CHILD_PROGRAM, "exec-by-descriptor", lie}), "executable"),
                  CHILD_PROGRAM)
            << lie;
}

// An upgrade may replace the file between exec and main().
TEST(Program, never_remembers_a_deleted_executable) {
    const TemporaryDirectory directory;
    const auto program = directory / "program";
    fs::copy_file(CHILD_PROGRAM, program);
    const auto output = output_of({program, "remember", program});
    EXPECT_EQ(value_of(output, "executable"), program);
    EXPECT_THAT(output, Not(HasSubstr("(deleted)")));
}

TEST(Program, remembers_directory_arguments_and_environment) {
    const TemporaryDirectory directory;
    const auto output = output_of({"sh", "-c",
                                   "cd '" + directory.path().string() +
                                       "' && exec '" CHILD_PROGRAM "' remember '' 'two words' "
                                       "\"$(printf 'tab\\t')\""},
                                  {{"TEST_GREETING", "hello world"}, {"TEST_EMPTY", ""}});
    EXPECT_EQ(value_of(output, "directory"), fs::canonical(directory.path()));
    EXPECT_THAT(output, HasSubstr("argument " CHILD_PROGRAM "\nargument remember\nargument \n"
                                  "argument two words\nargument tab\t\n"));
    EXPECT_THAT(output, HasSubstr("\nenv TEST_GREETING=hello world\n"));
    EXPECT_THAT(output, HasSubstr("\nenv TEST_EMPTY=\n"));
    EXPECT_EQ(value_of(output, "usr1"), "free");
}

TEST(Program, remembers_this_process_without_changing_it) {
    const auto program = Program::remember();
    EXPECT_EQ(fs::canonical(program.executable), fs::canonical("/proc/self/exe"));
    EXPECT_EQ(program.directory, fs::current_path());
}

TEST(BuildId, is_what_readelf_says) {
    const auto notes = output_of({"readelf", "-n", CHILD_PROGRAM});
    std::smatch match;
    ASSERT_TRUE(std::regex_search(notes, match, std::regex("Build ID: ([0-9a-f]{40})"))) << notes;
    EXPECT_EQ(output_of({CHILD_PROGRAM, "build-id"}), match[1].str() + "\n");
    EXPECT_NE(build_id(), match[1].str()) << "this is another program";
    EXPECT_EQ(build_id().size(), 40U);
}

}  // namespace
}  // namespace handover::test
