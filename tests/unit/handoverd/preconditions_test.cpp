// SPDX-License-Identifier: MIT
#include "handoverd/files/preconditions.h"

#include "handoverd/files/entity_tag.h"
#include "http/http_date.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace handoverd {
namespace {

struct Compared {
    std::string a;
    std::string b;
    bool strong;
    bool weak;
};

TEST(EntityTag, is_compared_as_the_table_in_RFC_9110_says) {
    const std::vector<Compared> table{{R"(W/"1")", R"(W/"1")", false, true},
                                      {R"(W/"1")", R"(W/"2")", false, false},
                                      {R"(W/"1")", R"("1")", false, true},
                                      {R"("1")", R"("1")", true, true}};
    for (const auto& [a, b, strong, weak] : table) {
        EXPECT_EQ(same_tag(a, b, Comparison::strong), strong) << a << b;
        EXPECT_EQ(same_tag(b, a, Comparison::weak), weak) << a << b;
    }
}

TEST(EntityTag, is_named_by_a_list) {
    const std::string tag = R"("x,y")";
    for (const char* list : {R"("x,y")", R"("a", "x,y")", R"("a","x,y","b")", R"(,, "a" ,"x,y")",
                             R"(W/"a", "x,y")", "*", " * ", R"("", "x,y")", R"("x,y" , )"})
        EXPECT_TRUE(names_tag(list, tag, Comparison::strong)) << list;
    for (const char* list :
         {"", "x,y", R"("x")", R"("x, y")", R"("x,y)", R"(w/"x,y")", R"("a" "x,y")", R"(a, "x,y")",
          R"("a, "x,y")", R"(*, "a")", R"("*")", R"('x,y')", "\"a\x01\", \"x,y\"", ",", "W/"})
        EXPECT_FALSE(names_tag(list, tag, Comparison::weak)) << list;
    EXPECT_TRUE(names_tag(R"(W/"x,y")", tag, Comparison::weak));
    EXPECT_FALSE(names_tag(R"(W/"x,y")", tag, Comparison::strong));
}

class ConditionalRequest : public testing::Test {
  protected:
    static constexpr std::chrono::sys_seconds modified{std::chrono::seconds(1000000000)};
    static constexpr const char* before = "Sun, 09 Sep 2001 01:46:39 GMT";
    static constexpr const char* at = "Sun, 09 Sep 2001 01:46:40 GMT";
    static constexpr const char* after = "Sunday, 09-Sep-01 01:46:41 GMT";
    static constexpr const char* same = R"("v1")";
    static constexpr const char* other = R"("v2")";

    static Preconditions judged(const Conditions& conditions,
                                std::chrono::seconds age = std::chrono::hours(1)) {
        return judge(conditions, {same, modified}, modified + age);
    }
    static Preconditions if_match(const char* tag) { return judged({.if_match = tag}); }
    static Preconditions if_unmodified_since(const char* date) {
        return judged({.if_unmodified_since = date});
    }
    static Preconditions if_none_match(const char* tag) { return judged({.if_none_match = tag}); }
    static Preconditions if_modified_since(const char* date) {
        return judged({.if_modified_since = date});
    }
    static Preconditions if_range(const char* value) { return judged({.if_range = value}); }
};

TEST_F(ConditionalRequest, without_conditions_is_any) {
    EXPECT_EQ(judged({}), Preconditions::send);
}

TEST_F(ConditionalRequest, fails_if_the_file_is_not_the_one_that_was_meant) {
    EXPECT_EQ(if_match(same), Preconditions::send);
    EXPECT_EQ(if_match("*"), Preconditions::send);
    EXPECT_EQ(if_match(other), Preconditions::failed);
    EXPECT_EQ(if_match(R"(W/"v1")"), Preconditions::failed) << "a strong comparison";
    EXPECT_EQ(if_unmodified_since(at), Preconditions::send);
    EXPECT_EQ(if_unmodified_since(after), Preconditions::send);
    EXPECT_EQ(if_unmodified_since(before), Preconditions::failed);
    EXPECT_EQ(if_unmodified_since("yesterday"), Preconditions::send);
}

TEST_F(ConditionalRequest, is_spared_what_the_client_has) {
    EXPECT_EQ(if_none_match(same), Preconditions::not_modified);
    EXPECT_EQ(if_none_match(R"(W/"v1")"), Preconditions::not_modified) << "a weak comparison";
    EXPECT_EQ(if_none_match("*"), Preconditions::not_modified);
    EXPECT_EQ(if_none_match(other), Preconditions::send);
    EXPECT_EQ(if_modified_since(at), Preconditions::not_modified);
    EXPECT_EQ(if_modified_since(after), Preconditions::not_modified);
    EXPECT_EQ(if_modified_since(before), Preconditions::send);
    EXPECT_EQ(if_modified_since("yesterday"), Preconditions::send);
}

TEST_F(ConditionalRequest, gets_a_range_only_of_the_state_that_it_has_a_part_of) {
    EXPECT_EQ(if_range(same), Preconditions::send);
    EXPECT_EQ(if_range(other), Preconditions::send_all);
    EXPECT_EQ(if_range(R"(W/"v1")"), Preconditions::send_all) << "a strong comparison";
    EXPECT_EQ(if_range("*"), Preconditions::send_all);
    EXPECT_EQ(if_range(at), Preconditions::send);
    EXPECT_EQ(if_range(before), Preconditions::send_all);
    EXPECT_EQ(if_range(after), Preconditions::send_all) << "not the very same date";
    EXPECT_EQ(judged({.if_range = at}, std::chrono::seconds(0)), Preconditions::send_all)
        << "it may change yet in the same second";
    EXPECT_EQ(judged({.if_range = at}, std::chrono::seconds(1)), Preconditions::send);
}

TEST_F(ConditionalRequest, has_an_order_in_its_conditions) {
    EXPECT_EQ(judged({.if_match = same, .if_unmodified_since = before}), Preconditions::send)
        << "a tag says more than a date";
    EXPECT_EQ(judged({.if_match = other, .if_none_match = same}), Preconditions::failed);
    EXPECT_EQ(judged({.if_match = same, .if_none_match = same}), Preconditions::not_modified);
    EXPECT_EQ(judged({.if_unmodified_since = before, .if_none_match = same}),
              Preconditions::failed);
    EXPECT_EQ(judged({.if_none_match = other, .if_modified_since = after}), Preconditions::send)
        << "a tag says more than a date";
    EXPECT_EQ(judged({.if_none_match = same, .if_modified_since = before}),
              Preconditions::not_modified);
    EXPECT_EQ(judged({.if_none_match = same, .if_range = same}), Preconditions::not_modified);
    EXPECT_EQ(judged({.if_match = other, .if_range = same}), Preconditions::failed);
    EXPECT_EQ(judged({.if_match = same, .if_none_match = other, .if_range = other}),
              Preconditions::send_all);
}

}  // namespace
}  // namespace handoverd
