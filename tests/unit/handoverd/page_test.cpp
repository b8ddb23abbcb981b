// SPDX-License-Identifier: MIT
// What the live page shows of a /status.

#include "handoverd/page/page.h"

#include "handoverd/client/number_format.h"
#include "handoverd/page/page_model.h"
#include "handoverd/page/page_text.h"

#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <utility>
#include <vector>

namespace handoverd {
namespace {

using nlohmann::json;

constexpr std::int64_t now = 1'790'000'000'000;
constexpr std::int64_t minute = 60'000;

json generation(std::uint64_t number, const std::string& role) {
    return {{"number", number},
            {"pid", 800 + number},
            {"version", "0.1.0"},
            {"role", role},
            {"started_at_ms", now - 10 * minute},
            {"ready_at_ms", now - 5 * minute},
            {"ended_at_ms", nullptr},
            {"drain_ends_at_ms", nullptr},
            {"from", number > 1 ? json(number - 1) : json()},
            {"by", number > 1 ? "reload" : "start"},
            {"connections", 0},
            {"endings", {{"moved", 0}, {"closed_by_client", 0}}},
            {"account", nullptr}};
}

json status_of(const std::vector<json>& generations, const std::vector<json>& history = {}) {
    return {
        {"now_ms", now},
        {"generation", generations.empty() ? 0 : generations.front()["number"].get<int>()},
        {"state", "serving"},
        {"version", "0.1.0"},
        {"build_id", "0123abcd"},
        {"requests", 12345},
        {"generations", generations},
        {"history", history},
        {"listeners", {{{"name", "http"}, {"endpoint", "[::]:80"}, {"source", "socket unit"}}}}};
}

json handover(const std::string& result, const std::string& reason = "") {
    return {{"id", 7}, {"at_ms", now - minute}, {"kind", "reload"}, {"from", 1},
            {"to", 2}, {"duration_ms", 31},     {"result", result}, {"reason", reason}};
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// The paths of the river, from the top row to the last one.
std::vector<std::string> river(const std::string& markup, const std::string& kind) {
    const std::regex path("<path class=\"" + kind + "\" d=\"([^\"]*)\"/>");
    std::vector<std::string> found;
    for (std::sregex_iterator match(markup.begin(), markup.end(), path), end; match != end; ++match)
        found.push_back((*match)[1]);
    return found;
}

TEST(PageRenderer, shows_a_service_without_a_past) {
    const auto markup = live_part(status_of({generation(1, "serving")})).text();
    EXPECT_TRUE(has(markup, "<h1>Generation 1 is serving</h1>")) << markup;
    EXPECT_TRUE(has(markup, "none yet")) << markup;
    EXPECT_TRUE(has(markup, "started 5 min ago")) << markup;
    EXPECT_TRUE(has(markup, "[::]:80</td><td>socket unit")) << markup;
    EXPECT_FALSE(has(markup, "Last handover took")) << markup;
}

TEST(PageRenderer, shows_a_service_of_which_nothing_is_known) {
    for (const auto& nothing :
         {json(), json::object(), json::array(), json("text"),
          json{{"generations", "none"}, {"history", 3}, {"now_ms", "late"}},
          json{{"generations", {1, nullptr, "x"}}, {"history", {{{"id", -1}}}}}})
        EXPECT_TRUE(has(page(nothing), "<h1>Generation 0 is ")) << nothing;
}

TEST(PageRenderer, names_what_each_generation_does) {
    for (const auto& [role, words] :
         {std::pair("starting", "starting"), std::pair("probation", "serving, on probation"),
          std::pair("serving", "serving"), std::pair("draining", "draining, 12 s left"),
          std::pair("stopping", "stopping"), std::pair("restarting", "restarting"),
          std::pair("ended", "ended"), std::pair("crashed", "crashed")}) {
        auto one = generation(4, role);
        if (role == std::string("draining")) one["drain_ends_at_ms"] = now + 11'001;
        const auto markup = live_part(status_of({one})).text();
        EXPECT_TRUE(has(markup, std::string("<tr role=\"row\" class=\"") + role + "\"")) << markup;
        EXPECT_TRUE(has(markup, std::string("<span class=\"role\">") + words + "</span>"))
            << markup;
    }
}

TEST(PageRenderer, does_not_take_a_class_from_somebody_else) {
    const auto markup = live_part(status_of({generation(4, "hero")}, {handover("fault")})).text();
    EXPECT_TRUE(has(markup, "class=\"unknown\" data-key=\"generation-")) << markup;
    EXPECT_TRUE(has(markup, "class=\"unknown\" data-key=\"handover-")) << markup;
    EXPECT_TRUE(has(markup, "<span class=\"role\">hero</span>")) << markup;
}

TEST(PageRenderer, says_how_many_seconds_a_drain_has_left_and_never_less_than_none) {
    auto one = generation(4, "draining");
    for (const auto& [ends, words] :
         {std::pair(now + 1, "1 s left"), std::pair(now, "0 s left"),
          std::pair(now + 5 * minute, "5 min left"), std::pair(now - 5'000, "0 s left")}) {
        one["drain_ends_at_ms"] = ends;
        EXPECT_TRUE(has(live_part(status_of({one})).text(), words)) << words;
    }
}

TEST(PageRenderer, escapes_what_others_have_written) {
    const std::string hostile = "</td><script>alert('1')</script>\"&\x1b[31m\n";
    auto one = generation(2, "serving");
    for (const auto* field : {"version", "role", "by", "account"}) one[field] = hostile;
    one["endings"][hostile] = 3;
    auto status = status_of({one}, {handover("failed", hostile), handover(hostile, hostile)});
    status["history"][1]["kind"] = hostile;
    for (const auto* field : {"state", "version", "build_id"}) status[field] = hostile;
    for (const auto* field : {"name", "endpoint", "source"})
        status["listeners"][0][field] = hostile;
    const auto markup = live_part(status).text();
    EXPECT_FALSE(has(markup, "<script")) << markup;
    EXPECT_FALSE(has(markup, "\x1b")) << markup;
    EXPECT_FALSE(has(markup, "'")) << markup;
    EXPECT_TRUE(has(markup,
                    "&lt;/td&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;"
                    "\\x1b[31m\\x0a"))
        << markup;
    const std::regex tags("</td>");
    const auto harmless = live_part(status_of({generation(2, "serving")}, {handover("ok")})).text();
    const auto count = [&](const std::string& text) {
        return std::distance(std::sregex_iterator(text.begin(), text.end(), tags), {});
    };
    EXPECT_EQ(count(markup), count(harmless) + 5) << "but for the cells of one more handover";
}

TEST(PageRenderer, puts_hostile_text_nowhere_else_in_the_document) {
    auto status = status_of({});
    status["state"] = "{live}</title><script>";
    const auto document = page(status);
    EXPECT_TRUE(has(document, "<title>Generation 0 is {live}&lt;/title&gt;&lt;script&gt;"));
    const std::regex script("<script");
    EXPECT_EQ(std::distance(std::sregex_iterator(document.begin(), document.end(), script), {}), 1);
    EXPECT_EQ(document.find("<div id=\"live\""), document.rfind("<div id=\"live\""));
}

TEST(PageRenderer, says_why_the_last_handover_failed_until_the_next_one) {
    const auto failed = handover("failed", "exec /x: Exec format error");
    const auto shown = live_part(status_of({generation(1, "serving")}, {failed})).text();
    EXPECT_TRUE(has(shown, "<h2>The last reload failed</h2>")) << shown;
    EXPECT_TRUE(has(shown, "<p>exec /x: Exec format error</p>")) << shown;
    const auto back = live_part(status_of({generation(1, "serving")}, {handover("rolled_back")}));
    EXPECT_TRUE(has(back.text(), "The last reload was rolled back"));
    const auto over = live_part(status_of({generation(2, "serving")}, {handover("ok"), failed}));
    EXPECT_FALSE(has(over.text(), "The last reload failed"));
    EXPECT_TRUE(has(over.text(), "Exec format error")) << "it is still in the list";
}

TEST(PageRenderer, lets_the_river_fit_from_row_to_row) {
    auto young = generation(3, "probation");
    young["connections"] = 100;
    auto old = generation(2, "draining");
    old["connections"] = 20;
    old["endings"]["moved"] = 50;
    auto oldest = generation(1, "ended");
    oldest["endings"]["moved"] = 25;
    const auto markup = live_part(status_of({young, old, oldest})).text();
    const auto streams = river(markup, "stream");
    ASSERT_EQ(streams.size(), 3U);
    // 100 connections are 84 wide, around 60.
    EXPECT_TRUE(has(streams[0], " 18.0 0H102.0")) << streams[0];
    EXPECT_TRUE(streams[0].starts_with("M39.0 100")) << streams[0];
    EXPECT_TRUE(has(streams[1], " 39.0 0H81.0")) << streams[1];
    EXPECT_TRUE(streams[1].starts_with("M49.5 100")) << streams[1];
    EXPECT_TRUE(has(streams[2], " 49.5 0H70.5")) << streams[2];
    EXPECT_EQ(river(markup, "remainder").size(), 1U) << "what the second one still has";
}

TEST(PageRenderer, leads_the_river_past_a_generation_that_died) {
    auto dead = generation(3, "crashed");
    auto serving = generation(2, "serving");
    serving["connections"] = 10;
    const auto markup = live_part(status_of({dead, serving, generation(1, "ended")})).text();
    const auto streams = river(markup, "stream");
    ASSERT_EQ(streams.size(), 3U);
    EXPECT_TRUE(streams[0].starts_with("M18.0 100") && has(streams[0], " 18.0 0H102.0"));
    EXPECT_EQ(river(markup, "branch").size(), 1U);
    EXPECT_TRUE(has(markup, "<h1>Generation 2 is serving</h1>"));
}

TEST(PageRenderer, allows_nothing_but_its_own_style_and_script) {
    const std::regex policy(
        R"(default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; )"
        R"(script-src 'sha256-[A-Za-z0-9+/]{43}='; connect-src 'self'; img-src data:; )"
        R"(base-uri 'none'; form-action 'none'; frame-ancestors 'none')");
    EXPECT_TRUE(std::regex_match(page_policy(), policy)) << page_policy();
    const auto document = page(status_of({generation(1, "serving")}));
    EXPECT_FALSE(std::regex_search(document, std::regex(R"(<[^>]* (style|on[a-z]+)=)")));
    EXPECT_FALSE(std::regex_search(document, std::regex(R"((src|href)="(https?:|//))")));
}

TEST(PageWords, are_those_of_people) {
    EXPECT_EQ(duration_in_words(-1), "0 ms");
    EXPECT_EQ(duration_in_words(999), "999 ms");
    EXPECT_EQ(duration_in_words(1'250), "1.2 s");
    EXPECT_EQ(duration_in_words(59'999), "59 s");
    EXPECT_EQ(duration_in_words(5 * minute), "5 min");
    EXPECT_EQ(duration_in_words(180 * minute), "3 h");
    EXPECT_EQ(duration_in_words(200 * minute), "3 h 20 min");
    EXPECT_EQ(duration_in_words(std::int64_t{52} * 60 * minute), "2 d 4 h");
    EXPECT_EQ(ago_in_words(-3), "just now");
    EXPECT_EQ(ago_in_words(2'900), "2 s ago");
    EXPECT_EQ(count_in_words(1, "connection"), "1 connection");
    EXPECT_EQ(count_in_words(1'234'567, "connection"), "1,234,567 connections");
    EXPECT_EQ(count_in_words(0, "connection"), "0 connections");
}

TEST(Html, takes_as_many_pieces_as_it_has_places) {
    EXPECT_EQ(Html::of("<b>{}</b>{}", {"a<b", std::uint64_t{1000}}).text(), "<b>a&lt;b</b>1,000");
    EXPECT_EQ(Html::of("{}", {Html::of("<i>{}</i>", {"{}"})}).text(), "<i>{}</i>");
    EXPECT_THROW(Html::of("{}"), std::logic_error);
    EXPECT_THROW(Html::of("{}", {"a", "b"}), std::logic_error);
}

}  // namespace
}  // namespace handoverd
