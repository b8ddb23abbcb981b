// SPDX-License-Identifier: MIT
// One line for each request, whatever the client has sent.
#include "handoverd/log/access_line.h"

#include "handover/printable.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace handoverd {
namespace {

using namespace std::string_literals;
using handover::http::AnsweredRequest;

AnsweredRequest request(std::string_view line = "GET /a?b=c HTTP/1.1") {
    AnsweredRequest result;
    result.remote_ip = "192.0.2.1";
    result.request_line = line;
    result.referer = "http://example.org/";
    result.user_agent = "curl/7.88.1";
    result.status = 200;
    result.body_bytes = 12;
    // 2026-11-26 03:04:05.678
    result.begin = std::chrono::system_clock::time_point(std::chrono::milliseconds(1795662245678));
    result.duration = std::chrono::microseconds(345);
    return result;
}

/// For this test, the time is that of a place far from Greenwich.
class AccessLine : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        ::setenv("TZ", "<-0330>3:30", 1);
        ::tzset();
    }
    static void TearDownTestSuite() {
        ::unsetenv("TZ");
        ::tzset();
    }
};

TEST_F(AccessLine, in_the_combined_format_is_the_one_of_Apache) {
    EXPECT_EQ(combined_line(request()),
              R"(192.0.2.1 - - [25/Nov/2026:23:34:05 -0330] "GET /a?b=c HTTP/1.1" 200 12 )"
              R"("http://example.org/" "curl/7.88.1")");
}

TEST_F(AccessLine, in_the_combined_format_has_a_dash_for_what_is_not_there) {
    AnsweredRequest nothing;
    nothing.status = 408;
    nothing.begin = request().begin;
    EXPECT_EQ(combined_line(nothing), R"(- - - [25/Nov/2026:23:34:05 -0330] "-" 408 - "-" "-")");
}

TEST_F(AccessLine, has_the_time_of_its_own_request) {
    auto one = request();
    for (const int second : {5, 6, 5}) {
        one.begin = request().begin + std::chrono::seconds(second - 5);
        EXPECT_NE(combined_line(one).find(":34:0" + std::to_string(second) + " "),
                  std::string::npos);
    }
}

TEST_F(AccessLine, as_JSON_is_an_object_with_these_members) {
    EXPECT_EQ(nlohmann::json::parse(json_line(request(), 4)),
              nlohmann::json({{"time", "2026-11-26T03:04:05.678Z"},
                              {"remote", "192.0.2.1"},
                              {"method", "GET"},
                              {"target", "/a?b=c"},
                              {"protocol", "HTTP/1.1"},
                              {"status", 200},
                              {"bytes", 12},
                              {"duration_us", 345},
                              {"referer", "http://example.org/"},
                              {"user_agent", "curl/7.88.1"},
                              {"generation", 4}}));
}

TEST_F(AccessLine, as_JSON_has_what_is_no_request_line_as_the_target) {
    for (const std::string line : {"", "GET", "GET /", " ", "\x16\x03\x01"}) {
        const auto object = nlohmann::json::parse(json_line(request(line), 1));
        EXPECT_EQ(object.at("method"), "") << line;
        EXPECT_EQ(object.at("target"), handover::printable(line));
        EXPECT_EQ(object.at("protocol"), "") << line;
    }
}

TEST_F(AccessLine, has_an_IPv4_client_of_an_IPv6_listener_as_an_IPv4_client) {
    auto one = request();
    for (const auto& [ip, shown] :
         std::vector<std::pair<std::string, std::string>>{{"::ffff:192.0.2.7", "192.0.2.7"},
                                                          {"2001:db8::1", "2001:db8::1"},
                                                          {"::ffff:0:1", "::ffff:0:1"}}) {
        one.remote_ip = ip;
        EXPECT_TRUE(combined_line(one).starts_with(shown + " - - ")) << combined_line(one);
        EXPECT_EQ(nlohmann::json::parse(json_line(one, 1)).at("remote"), shown);
    }
}

struct Escape {
    std::string sent;
    std::string combined;
    std::string json;  ///< once it is parsed
};

TEST_F(AccessLine, shows_hostile_bytes_and_sends_none) {
    const std::vector<Escape> table{
        {R"(" 200 0 "-" "x)", R"(\" 200 0 \"-\" \"x)", R"(" 200 0 "-" "x)"},
        {R"(a\)", R"(a\\)", R"(a\)"},
        {"\n1.2.3.4 - -", R"(\n1.2.3.4 - -)", R"(\x0a1.2.3.4 - -)"},
        {"\r\t\b\v\f", R"(\r\t\b\v\x0c)", R"(\x0d\x09\x08\x0b\x0c)"},
        {"\x1b[2J\x7f", R"(\x1b[2J\x7f)", R"(\x1b[2J\x7f)"},
        {"\0x"s, R"(\x00x)", R"(\x00x)"},
        {"J\xc3\xbcrgen", R"(J\xc3\xbcrgen)", "J\xc3\xbcrgen"},
        {"\xff\xc3", R"(\xff\xc3)", R"(\xff\xc3)"},
        {"\xe2\x80\xae", R"(\xe2\x80\xae)", R"(\xe2\x80\xae)"},
        {"\xed\xa0\x80", R"(\xed\xa0\x80)", R"(\xed\xa0\x80)"},
    };
    for (const auto& escape : table) {
        auto one = request("GET /" + escape.sent + " HTTP/1.1");
        const std::string line = "GET /" + escape.sent + " HTTP/1.1";
        one.request_line = line;
        one.user_agent = escape.sent;
        one.referer = escape.sent;
        const auto combined = combined_line(one);
        EXPECT_TRUE(combined.ends_with("\"GET /" + escape.combined + " HTTP/1.1\" 200 12 \"" +
                                       escape.combined + "\" \"" + escape.combined + "\""))
            << combined;
        const auto object = nlohmann::json::parse(json_line(one, 1));
        EXPECT_EQ(object.at("user_agent"), escape.json);
        EXPECT_EQ(object.at("referer"), escape.json);
        EXPECT_EQ(object.at("target"), "/" + escape.json);
    }
}

/// What escaped_as_apache_does() did.
std::string undone(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            result += text[i];
            continue;
        }
        const char kind = text.at(++i);
        constexpr std::string_view letters = "bnrtv";
        constexpr std::string_view meanings = "\b\n\r\t\v";
        if (const auto letter = letters.find(kind); letter != std::string_view::npos) {
            result += meanings[letter];
        } else if (kind == 'x') {
            result += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
            i += 2;
        } else {
            result += kind;
        }
    }
    return result;
}

TEST_F(AccessLine, loses_nothing_of_any_bytes_and_stays_a_line_and_valid) {
    std::mt19937 random(7);
    std::uniform_int_distribution<int> byte(0, 255);
    for (int i = 0; i < 2000; ++i) {
        std::string sent(static_cast<std::size_t>(byte(random)), '\0');
        std::generate(sent.begin(), sent.end(), [&] { return static_cast<char>(byte(random)); });
        const auto escaped = escaped_as_apache_does(sent);
        EXPECT_EQ(undone(escaped), sent);
        EXPECT_TRUE(std::all_of(escaped.begin(), escaped.end(),
                                [](char c) { return c >= 0x20 && c <= 0x7e; }));
        auto one = request();
        one.request_line = sent;
        one.user_agent = sent;
        const auto line = json_line(one, 1);
        EXPECT_EQ(handover::printable(line), line);
        EXPECT_TRUE(nlohmann::json::accept(line)) << line;
    }
}

}  // namespace
}  // namespace handoverd
