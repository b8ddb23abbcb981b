// SPDX-License-Identifier: MIT
#include "handoverd/config/configuration_file.h"

#include "support/temporary_directory.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace handoverd {
namespace {

using handover::test::TemporaryDirectory;
using Pairs = std::vector<std::pair<std::string, std::string>>;

ConfigurationFile parse(const std::string& text) {
    return ConfigurationFile::parse("file", text);
}

Pairs items_of(const std::string& text) {
    Pairs pairs;
    for (const auto& item : parse(text).items) pairs.emplace_back(item.name, item.value);
    return pairs;
}

/// "2: what it is", if that is all.
std::string only_fault(const ConfigurationFile& file) {
    if (file.faults.size() != 1) return std::to_string(file.faults.size()) + " faults";
    return std::to_string(file.faults[0].line) + ": " + file.faults[0].text;
}

TEST(ConfigurationFile, has_a_name_and_a_value_in_a_line) {
    EXPECT_EQ(items_of("a=1\nb-c = x y \n\n\td=\n"),
              (Pairs{{"a", "1"}, {"b-c", "x y"}, {"d", ""}}));
    EXPECT_EQ(items_of("a=1\r\nb=2\r\n"), (Pairs{{"a", "1"}, {"b", "2"}})) << "as DOS ends lines";
    EXPECT_EQ(items_of("a=b=c"), (Pairs{{"a", "b=c"}}));
    EXPECT_EQ(items_of(""), Pairs{});
}

TEST(ConfigurationFile, counts_lines) {
    const auto file = parse("# a comment\n\na=1\n  # another\nb=2");
    ASSERT_EQ(file.items.size(), 2U);
    EXPECT_EQ(file.items[0].line, 3U);
    EXPECT_EQ(file.items[1].line, 5U);
    EXPECT_EQ(file.place(5), "file:5");
    EXPECT_EQ(file.place(0), "file");
}

TEST(ConfigurationFile, address_in_brackets_needs_no_quotes) {
    EXPECT_EQ(items_of("listen=[::]:80\nlisten = [::1]:81 # loopback\n"),
              (Pairs{{"listen", "[::]:80"}, {"listen", "[::1]:81"}}));
}

TEST(ConfigurationFile, value_may_contain_a_number_sign) {
    EXPECT_EQ(items_of("a=/srv/c#\nb=x#y # z\nc=\"x # y\" # z\nd=#\n"),
              (Pairs{{"a", "/srv/c#"}, {"b", "x#y"}, {"c", "x # y"}, {"d", ""}}));
}

TEST(ConfigurationFile, value_in_quotes_keeps_its_space) {
    EXPECT_EQ(items_of("a=\" x \"\nb=\"\"\nc=x \"y\"\n"),
              (Pairs{{"a", " x "}, {"b", ""}, {"c", "x \"y\""}}));
    EXPECT_EQ(only_fault(parse("a=\"x")), "1: the second '\"' is missing");
    EXPECT_EQ(only_fault(parse("a=\"x\"y")),
              "1: there is something behind the second '\"', take it out");
}

TEST(ConfigurationFile, line_that_is_none_says_what_to_write) {
    EXPECT_EQ(only_fault(parse("\nthreads 8 # many\n")), "2: there is no '=', write threads=8");
    EXPECT_EQ(only_fault(parse("threads: 8")), "1: there is no '=', write threads=8");
    EXPECT_EQ(only_fault(parse("anchor")), "1: there is no '=', write anchor=...");
    EXPECT_EQ(only_fault(parse(" = 8")), "1: there is no name before the '=', write name=value");
    EXPECT_EQ(only_fault(parse("[Service]\na=1\n")), "1: there are no sections, take the line out");
}

TEST(ConfigurationFile, all_its_faults_are_found) {
    const auto file = parse("one\na=1\ntwo\nb=\"\n");
    EXPECT_EQ(file.items.size(), 1U);
    ASSERT_EQ(file.faults.size(), 3U);
    EXPECT_EQ(file.faults[0].line, 1U);
    EXPECT_EQ(file.faults[1].line, 3U);
    EXPECT_EQ(file.faults[2].line, 4U);
}

TEST(ConfigurationFile, what_is_no_text_is_not_read_on) {
    using std::string_literals::operator""s;
    const auto fault = "2: not a text: byte 3 of the line is 0x00, write text in UTF-8";
    EXPECT_EQ(only_fault(parse("a=1\nb=\0\nnonsense\n"s)), fault);
    EXPECT_EQ(only_fault(parse("\x7f\x45LF\n\n\n")),
              "1: not a text: byte 1 of the line is 0x7f, write text in UTF-8");
    EXPECT_EQ(only_fault(parse("a=\xe9t\xe9\n")),
              "1: not a text: byte 3 of the line is 0xe9, write text in UTF-8");
    EXPECT_EQ(items_of("# \xe9t\xe9\na=\xc3\xa9\n"), (Pairs{{"a", "\xc3\xa9"}}));
}

TEST(ConfigurationFile, line_made_of_a_value_reads_the_same) {
    for (const std::string value : {"20s", "[::]:80", "/srv/c#", "x # y", " x ", "", "#", "\t"}) {
        const auto line = ConfigurationFile::to_line("a", value);
        EXPECT_EQ(items_of(line + "  # a comment"), (Pairs{{"a", value}})) << line;
    }
}

class ConfigurationFileOnDisk : public testing::Test {
  protected:
    [[nodiscard]] static std::string fault_of(const std::string& path) {
        const auto file = ConfigurationFile::read(path, ConfigurationFile::Missing::is_a_fault);
        EXPECT_EQ(file.path, path);
        return only_fault(file);
    }
    const TemporaryDirectory directory_;
    const std::string path_ = directory_ / "file";
};

TEST_F(ConfigurationFileOnDisk, is_read) {
    std::ofstream(path_) << "a=1\n";
    const auto file = ConfigurationFile::read(path_, ConfigurationFile::Missing::is_a_fault);
    ASSERT_EQ(file.items.size(), 1U);
    EXPECT_EQ(file.place(file.items[0].line), path_ + ":1");
}

TEST_F(ConfigurationFileOnDisk, may_be_missing_if_nobody_named_it) {
    EXPECT_EQ(fault_of(path_), "0: cannot be read: No such file or directory");
    const auto file = ConfigurationFile::read(path_, ConfigurationFile::Missing::is_empty);
    EXPECT_TRUE(file.items.empty() && file.faults.empty());
    std::ofstream(path_).put('\n');
    EXPECT_EQ(
        only_fault(ConfigurationFile::read(path_ + "/file", ConfigurationFile::Missing::is_empty)),
        "0: cannot be read: Not a directory");
}

TEST_F(ConfigurationFileOnDisk, is_a_file) {
    EXPECT_EQ(fault_of(directory_.path()), "0: is a directory, name the file in it");
    ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
    EXPECT_EQ(fault_of(path_), "0: is no file, name one") << "and nobody waits for its writer";
    EXPECT_EQ(
        only_fault(ConfigurationFile::read("/dev/null", ConfigurationFile::Missing::is_a_fault)),
        "0 faults");
}

TEST_F(ConfigurationFileOnDisk, has_an_end) {
    EXPECT_EQ(fault_of("/dev/zero"), "0: cannot be read: File too large");
}

}  // namespace
}  // namespace handoverd
