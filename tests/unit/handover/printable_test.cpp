// SPDX-License-Identifier: MIT
#include "handover/printable.h"

#include "handover/error.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace handover::test {
namespace {

using namespace std::string_literals;

TEST(Printable, leaves_what_people_can_read) {
    for (const std::string text :
         {"", "handover failed: no disk", "/srv/J\xc3\xbcrgen/\xe6\x97\xa5\xe6\x9c\xac",
          "\xf0\x9f\x9a\x80", "C:\\x1b is five letters", "a ~ b"})
        EXPECT_EQ(printable(text), text);
}

TEST(Printable, escapes_control_characters) {
    EXPECT_EQ(printable("two\nlines\r\n"), "two\\x0alines\\x0d\\x0a");
    EXPECT_EQ(printable("\x1b[31mred"), "\\x1b[31mred");
    EXPECT_EQ(printable("a\0b\tc\x7f"s), "a\\x00b\\x09c\\x7f");
    EXPECT_EQ(printable("\xc2\x9b"
                        "31m"),
              "\\xc2\\x9b31m")
        << "CSI as one character";
    EXPECT_EQ(printable("\xc2\x85"), "\\xc2\\x85") << "next line";
}

TEST(Printable, escapes_what_breaks_lines_or_turns_the_direction) {
    for (const auto& [text, shown] :
         {std::pair("\xe2\x80\xa8", "\\xe2\\x80\\xa8"),
          std::pair("\xe2\x80\xa9", "\\xe2\\x80\\xa9"),
          std::pair("\xe2\x80\xae", "\\xe2\\x80\\xae"),
          std::pair("\xe2\x80\x8f", "\\xe2\\x80\\x8f"),
          std::pair("\xe2\x81\xa6", "\\xe2\\x81\\xa6"), std::pair("\xd8\x9c", "\\xd8\\x9c")})
        EXPECT_EQ(printable(text), shown);
}

TEST(Printable, escapes_what_is_no_UTF_8) {
    EXPECT_EQ(printable("\xff"), "\\xff");
    EXPECT_EQ(printable("a\x80z"), "a\\x80z") << "a byte that continues nothing";
    EXPECT_EQ(printable("\xc3"), "\\xc3") << "cut off";
    EXPECT_EQ(printable("\xc3("), "\\xc3(");
    EXPECT_EQ(printable("\xc0\x8a"), "\\xc0\\x8a") << "a newline in two bytes";
    EXPECT_EQ(printable("\xe0\x80\x8a"), "\\xe0\\x80\\x8a") << "and in three";
    EXPECT_EQ(printable("\xf0\x80\x80\x8a"), "\\xf0\\x80\\x80\\x8a") << "and in four";
    EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "half of a pair";
    EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond the last";
}

TEST(Printable, leaves_its_own_result_alone) {
    std::string all;
    for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
    EXPECT_EQ(printable(printable(all)), printable(all));
}

TEST(Printable, is_what_every_error_says) {
    EXPECT_STREQ(Error(Error::Kind::config, "'a\nb'").what(), "'a\\x0ab'");
}

}  // namespace
}  // namespace handover::test
