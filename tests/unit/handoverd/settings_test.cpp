// SPDX-License-Identifier: MIT
#include "handoverd/config/settings.h"

#include "handoverd/config/validators.h"

#include <CLI/CLI.hpp>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace handoverd {
namespace {

/// Options of each kind.
struct Program {
    CLI::App app;
    std::vector<std::string> listen;
    std::string admin = "unix:@admin";
    int threads = 8;
    bool anchor = false;

    Program() {
        app.add_option("--config")->configurable(false);
        app.add_option("--listen", listen)->check(is_endpoint());
        app.add_option("--admin", admin)->check(is_endpoint())->default_str(admin);
        app.add_option("--threads", threads)->check(is_number_within(2, 64))->default_str("8");
        app.add_flag("--anchor", anchor);
    }
};

class Configuration : public testing::Test {
  protected:
    void read(const std::string& text, const std::vector<std::string>& arguments = {}) {
        std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
        program_.app.parse(reversed);
        file_ = ConfigurationFile::parse("file", text);
        settings_ = apply(file_, program_.app, trial_.app);
    }

    std::vector<std::string> faults(const std::string& text) {
        read(text);
        std::vector<std::string> lines;
        for (const auto& fault : file_.faults)
            lines.push_back(std::to_string(fault.line) + ": " + fault.text);
        return lines;
    }

    std::vector<std::string> same(const std::string& text,
                                  const std::vector<std::string>& arguments = {}) {
        read(text, arguments);
        std::vector<std::string> lines;
        for (const auto& one : same_addresses(settings_, {"listen", "admin"}, file_))
            lines.push_back(std::to_string(one.line) + ": " + one.text);
        return lines;
    }

    Program program_;
    Program trial_;
    ConfigurationFile file_;
    std::vector<Setting> settings_;
};

using Lines = std::vector<std::string>;

TEST_F(Configuration, of_the_file_goes_to_the_options) {
    read("threads=4\nanchor=true\nlisten=:80\nlisten=[::1]:81\n");
    EXPECT_TRUE(file_.faults.empty());
    EXPECT_EQ(program_.threads, 4);
    EXPECT_TRUE(program_.anchor);
    EXPECT_EQ(program_.listen, (Lines{":80", "[::1]:81"}));
    EXPECT_EQ(program_.admin, "unix:@admin");
}

TEST_F(Configuration, flag_can_be_false) {
    read("anchor=false\n");
    EXPECT_TRUE(file_.faults.empty());
    EXPECT_FALSE(program_.anchor);
}

TEST_F(Configuration, of_the_command_line_wins) {
    read("threads=4\nanchor=false\nlisten=:80\n", {"--threads=5", "--listen=:90", "--anchor"});
    EXPECT_TRUE(file_.faults.empty());
    EXPECT_EQ(program_.threads, 5);
    EXPECT_EQ(program_.listen, Lines{":90"});
    EXPECT_TRUE(program_.anchor);
}

TEST_F(Configuration, says_where_each_value_is_from) {
    read("\nthreads=4\nlisten=:80\nlisten=:81\n", {"--anchor"});
    ASSERT_EQ(settings_.size(), 4U) << "in the order of the options, without --config and --help";
    EXPECT_EQ(settings_[0].name, "listen");
    EXPECT_EQ(settings_[0].from, Setting::From::file);
    ASSERT_EQ(settings_[0].values.size(), 2U);
    EXPECT_EQ(settings_[0].values[1].text, ":81");
    EXPECT_EQ(settings_[0].values[1].line, 4U);
    EXPECT_EQ(settings_[1].from, Setting::From::standard);
    EXPECT_EQ(settings_[1].values[0].text, "unix:@admin");
    EXPECT_EQ(settings_[2].values[0].line, 2U);
    EXPECT_EQ(settings_[3].from, Setting::From::command_line);
    EXPECT_EQ(settings_[3].values[0].text, "true");
}

TEST_F(Configuration, unknown_name_is_refused_with_the_nearest_known_one) {
    EXPECT_EQ(faults("thread=4\n"),
              Lines{"1: thread=4: there is no option of this name, write threads="});
    EXPECT_EQ(faults("--Threads=4\n"),
              Lines{"1: --Threads=4: there is no option of this name, write threads="});
    EXPECT_EQ(faults("lsiten=:80\n"),
              Lines{"1: lsiten=:80: there is no option of this name, write listen="});
    EXPECT_EQ(faults("colour=red\n"),
              Lines{"1: colour=red: there is no option of this name, see handoverd.conf(5)"});
    EXPECT_EQ(faults("config=x\n"),
              Lines{"1: config=x: it is for the command line only, take the line out"});
    EXPECT_EQ(faults("help=true\n"),
              Lines{"1: help=true: it is for the command line only, take the line out"});
}

TEST_F(Configuration, wrong_value_is_refused_with_what_to_write) {
    EXPECT_EQ(faults("threads=many\n"),
              Lines{"1: threads=many: not a whole number, write one from 2 to 64"});
    EXPECT_EQ(faults("threads=1\n"),
              Lines{"1: threads=1: out of range, write a number from 2 to 64"});
    EXPECT_EQ(faults("threads=99999999999999999999\n").size(), 1U);
    EXPECT_EQ(faults("threads=-3\n").size(), 1U);
    EXPECT_EQ(faults("anchor=yes\n"),
              Lines{"1: anchor=yes: neither true nor false, write one of them"});
    EXPECT_EQ(faults("threads=\n"),
              Lines{"1: threads=: there is no value, write one or take the line out"});
    EXPECT_EQ(faults("listen=[:80, :81]\n"),
              Lines{"1: listen=[:80, :81]: there are no lists, write a line listen=... for each"});
}

TEST_F(Configuration, second_value_of_what_has_only_one_is_refused) {
    EXPECT_EQ(faults("threads=4\n\nthreads=5\n"),
              Lines{"3: threads=5: it is in line 1 already and may be given once, take one of them "
                    "out"});
}

TEST_F(Configuration, all_faults_are_told_in_the_order_of_their_lines) {
    EXPECT_EQ(faults("threads=many\nnonsense\nadmin=:x\nlisten=:80\n").size(), 3U);
    EXPECT_EQ(file_.faults[0].line, 1U);
    EXPECT_EQ(file_.faults[1].line, 2U);
    EXPECT_EQ(file_.faults[2].line, 3U);
    EXPECT_EQ(program_.listen, Lines{":80"}) << "what is right can be used";
    EXPECT_EQ(program_.threads, 8) << "what is wrong is not";
}

TEST_F(Configuration, is_judged_also_where_the_command_line_wins) {
    read("threads=many\n", {"--threads=4"});
    EXPECT_EQ(file_.faults.size(), 1U);
    EXPECT_EQ(program_.threads, 4);
}

TEST_F(Configuration, long_value_is_not_repeated_as_a_whole) {
    const auto told = faults("threads=" + std::string(100'000, '9') + "\n");
    ASSERT_EQ(told.size(), 1U);
    EXPECT_LT(told[0].size(), 250U);
    EXPECT_NE(told[0].find("99...: out of range"), std::string::npos);
}

TEST_F(Configuration, address_that_stands_twice_is_refused) {
    EXPECT_EQ(same("listen=:80\nlisten=[::]:80\n"),
              Lines{"2: listen=[::]:80: the same address, which listen has in file:1, take one of "
                    "them out"});
    EXPECT_EQ(same("listen=unix:/x\nadmin=unix:/x\n"),
              Lines{"2: admin=unix:/x: the same address, which listen has in file:1, take one of "
                    "them out"});
    EXPECT_EQ(same("listen=unix:@admin\n"),
              Lines{"1: listen=unix:@admin: the same address, which is the default of admin, take "
                    "one of them out"});
    EXPECT_EQ(same("listen=:80\n", {"--admin", ":80"}),
              Lines{"0: --admin :80: the same address, which listen has in file:1, take one of "
                    "them out"});
}

TEST_F(Configuration, port_that_the_kernel_chooses_may_stand_twice) {
    EXPECT_EQ(same("listen=127.0.0.1:0\nlisten=127.0.0.1:0\nlisten=127.0.0.1:80\n"), Lines{});
}

}  // namespace
}  // namespace handoverd
