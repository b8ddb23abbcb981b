// SPDX-License-Identifier: MIT
#include "http/http_date.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace handover::http {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr sys_seconds the_example{seconds(784111777)};   // of RFC 9110, 5.6.7
constexpr sys_seconds received_at{seconds(1700000000)};  // in 2023

std::optional<sys_seconds> parsed(const std::string& text) {
    return parse_http_date(text, received_at);
}

TEST(HttpDate, is_written_in_the_fixed_form) {
    const std::vector<std::pair<long, std::string>> table{
        {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {-1, "Wed, 31 Dec 1969 23:59:59 GMT"},
        {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
        {4102444799, "Thu, 31 Dec 2099 23:59:59 GMT"},
        {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"}};
    for (const auto& [time, text] : table) {
        EXPECT_EQ(to_http_date(sys_seconds(seconds(time))), text);
        EXPECT_EQ(parsed(text), sys_seconds(seconds(time))) << text;
    }
}

TEST(HttpDate, is_read_in_all_three_forms) {
    EXPECT_EQ(parsed("Sun, 06 Nov 1994 08:49:37 GMT"), the_example);
    EXPECT_EQ(parsed("Sunday, 06-Nov-94 08:49:37 GMT"), the_example);
    EXPECT_EQ(parsed("Sun Nov  6 08:49:37 1994"), the_example);
    EXPECT_EQ(parsed("Wed Nov 16 08:49:37 1994"), the_example + std::chrono::days(10));
}

TEST(HttpDate, with_two_digits_is_no_more_than_50_years_ahead) {
    const auto year_of = [](const std::string& year) {
        const auto time = parsed("Sunday, 06-Nov-" + year + " 08:49:37 GMT").value();
        return static_cast<int>(
            std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(time)).year());
    };
    EXPECT_EQ(year_of("23"), 2023);
    EXPECT_EQ(year_of("00"), 2000);
    EXPECT_EQ(year_of("73"), 2073);
    EXPECT_EQ(year_of("74"), 1974);
    EXPECT_EQ(year_of("99"), 1999);
}

TEST(HttpDate, may_have_a_leap_second_which_is_the_one_before) {
    EXPECT_EQ(parsed("Sat, 31 Dec 2016 23:59:60 GMT"), parsed("Sat, 31 Dec 2016 23:59:59 GMT"));
}

TEST(HttpDate, that_is_none_is_to_be_ignored) {
    for (const char* text : {"",
                             "0",
                             "now",
                             "Sun, 06 Nov 1994 08:49:37",
                             "Sun, 06 Nov 1994 08:49:37 UTC",
                             "Sun, 06 Nov 1994 08:49:37 GMT ",
                             " Sun, 06 Nov 1994 08:49:37 GMT",
                             "Sun, 6 Nov 1994 08:49:37 GMT",
                             "sun, 06 nov 1994 08:49:37 GMT",
                             "Sun, 06 Nov 94 08:49:37 GMT",
                             "Sun, 32 Oct 1994 08:49:37 GMT",
                             "Sun, 00 Nov 1994 08:49:37 GMT",
                             "Sun, 29 Feb 1995 08:49:37 GMT",
                             "Sun, 06 Nov 1994 24:00:00 GMT",
                             "Sun, 06 Nov 1994 08:60:37 GMT",
                             "Sun, 06 Nov 1994 08:49:61 GMT",
                             "Sun, 06 Nov 1994 08:49:3 GMT",
                             "Sun, 06-Nov-94 08:49:37 GMT",
                             "Sunday, 06 Nov 1994 08:49:37 GMT",
                             "Sun Nov 06 08:49:37 1994 GMT",
                             "Sun Nov 6 08:49:37 1994",
                             "784111777",
                             "Sun, -6 Nov 1994 08:49:37 GMT",
                             "1994-11-06T08:49:37Z"})
        EXPECT_FALSE(parsed(text)) << text;
}

}  // namespace
}  // namespace handover::http
