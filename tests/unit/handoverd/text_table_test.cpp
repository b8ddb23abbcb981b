// SPDX-License-Identifier: MIT
#include "handoverd/client/text_table.h"

#include <gtest/gtest.h>

#include <string>

namespace handoverd {
namespace {

using Side = TextTable::Column::Side;

TEST(TextWidth, is_that_of_a_terminal_and_not_of_the_bytes) {
    EXPECT_EQ(columns_of(""), 0U);
    EXPECT_EQ(columns_of("serving"), 7U);
    EXPECT_EQ(columns_of("z\u00fcgig"), 5U);
    EXPECT_EQ(columns_of("z\u0075\u0308gig"), 5U) << "the same with a combining character";
    EXPECT_EQ(columns_of("\u5f15\u7d99"), 4U) << "two that take two columns each";
}

TEST(TextWidth, of_bytes_that_are_no_text_is_one_column_each) {
    EXPECT_EQ(columns_of("a\xff\xfe"), 3U);
    EXPECT_EQ(columns_of("a\xe2\x82"), 3U) << "a character that is cut off";
}

TEST(CutText, stays_as_it_is_where_it_has_room) {
    EXPECT_EQ(cut_to(7, "serving"), "serving");
    EXPECT_EQ(cut_to(0, ""), "");
}

TEST(CutText, ends_in_an_ellipsis_within_its_columns) {
    EXPECT_EQ(cut_to(6, "serving"), "servi\u2026");
    EXPECT_EQ(cut_to(1, "serving"), "\u2026");
    EXPECT_EQ(cut_to(0, "serving"), "");
    EXPECT_EQ(cut_to(6, "long ago"), "long\u2026") << "no space before it";
}

TEST(CutText, is_cut_between_characters) {
    EXPECT_EQ(cut_to(3, "\u00fc\u00fc\u00fc\u00fc"), "\u00fc\u00fc\u2026");
    EXPECT_EQ(cut_to(4, "\u5f15\u7d99\u5f15"), "\u5f15\u2026") << "half of one has no room";
}

class Table : public testing::Test {
  protected:
    Table() {
        table_.add_row({{"http"}, {"unix:/run/handoverd/http.sock"}, {"12"}});
        table_.add_note({"a note below it"});
        table_.add_row({{"admin"}, {""}, {"9,120"}});
    }

    TextTable table_{{{"NAME"}, {"ADDRESS", Side::left, true}, {"COUNT", Side::right}}};
};

TEST_F(Table, is_aligned_and_no_line_ends_in_a_space) {
    EXPECT_EQ(table_.in({}),
              "NAME   ADDRESS                        COUNT\n"
              "http   unix:/run/handoverd/http.sock     12\n"
              "       a note below it\n"
              "admin                                 9,120\n");
}

TEST_F(Table, has_its_flexible_column_cut_where_it_has_no_room) {
    EXPECT_EQ(table_.in({.columns = 30}),
              "NAME   ADDRESS           COUNT\n"
              "http   unix:/run/hando\u2026     12\n"
              "       a note below it\n"
              "admin                    9,120\n");
}

TEST_F(Table, has_every_column_cut_where_that_is_not_enough) {
    EXPECT_EQ(table_.in({.columns = 16}),
              "NAME  ADD\u2026  COU\u2026\n"
              "http  uni\u2026    12\n"
              "      a note be\u2026\n"
              "adm\u2026        9,1\u2026\n");
}

TEST_F(Table, has_colours_that_take_no_room_only_where_they_are_shown) {
    TextTable table({{"ROLE"}, {"PID"}});
    table.add_row({{"serving", Style::good}, {"812"}});
    EXPECT_EQ(table.in({.columns = 80, .coloured = true}),
              "\x1b[1mROLE\x1b[0m     \x1b[1mPID\x1b[0m\n"
              "\x1b[32mserving\x1b[0m  812\n");
    EXPECT_EQ(table.in({.columns = 80}), "ROLE     PID\nserving  812\n");
}

}  // namespace
}  // namespace handoverd
