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

    static PreconditionResult evaluated(const Preconditions& preconditions,
                                        std::chrono::seconds age = std::chrono::hours(1)) {
        return evaluate(preconditions, {same, modified}, modified + age);
    }
    static PreconditionResult if_match(const char* tag) { return evaluated({.if_match = tag}); }
    static PreconditionResult if_unmodified_since(const char* date) {
        return evaluated({.if_unmodified_since = date});
    }
    static PreconditionResult if_none_match(const char* tag) {
        return evaluated({.if_none_match = tag});
    }
    static PreconditionResult if_modified_since(const char* date) {
        return evaluated({.if_modified_since = date});
    }
    static PreconditionResult if_range(const char* value) { return evaluated({.if_range = value}); }
};

TEST_F(ConditionalRequest, without_conditions_is_any) {
    EXPECT_EQ(evaluated({}), PreconditionResult::send);
}

TEST_F(ConditionalRequest, fails_if_the_file_is_not_the_one_that_was_meant) {
    EXPECT_EQ(if_match(same), PreconditionResult::send);
    EXPECT_EQ(if_match("*"), PreconditionResult::send);
    EXPECT_EQ(if_match(other), PreconditionResult::failed);
    EXPECT_EQ(if_match(R"(W/"v1")"), PreconditionResult::failed) << "a strong comparison";
    EXPECT_EQ(if_unmodified_since(at), PreconditionResult::send);
    EXPECT_EQ(if_unmodified_since(after), PreconditionResult::send);
    EXPECT_EQ(if_unmodified_since(before), PreconditionResult::failed);
    EXPECT_EQ(if_unmodified_since("yesterday"), PreconditionResult::send);
}

TEST_F(ConditionalRequest, is_spared_what_the_client_has) {
    EXPECT_EQ(if_none_match(same), PreconditionResult::not_modified);
    EXPECT_EQ(if_none_match(R"(W/"v1")"), PreconditionResult::not_modified) << "a weak comparison";
    EXPECT_EQ(if_none_match("*"), PreconditionResult::not_modified);
    EXPECT_EQ(if_none_match(other), PreconditionResult::send);
    EXPECT_EQ(if_modified_since(at), PreconditionResult::not_modified);
    EXPECT_EQ(if_modified_since(after), PreconditionResult::not_modified);
    EXPECT_EQ(if_modified_since(before), PreconditionResult::send);
    EXPECT_EQ(if_modified_since("yesterday"), PreconditionResult::send);
}

TEST_F(ConditionalRequest, gets_a_range_only_of_the_state_that_it_has_a_part_of) {
    EXPECT_EQ(if_range(same), PreconditionResult::send);
    EXPECT_EQ(if_range(other), PreconditionResult::send_all);
    EXPECT_EQ(if_range(R"(W/"v1")"), PreconditionResult::send_all) << "a strong comparison";
    EXPECT_EQ(if_range("*"), PreconditionResult::send_all);
    EXPECT_EQ(if_range(at), PreconditionResult::send);
    EXPECT_EQ(if_range(before), PreconditionResult::send_all);
    EXPECT_EQ(if_range(after), PreconditionResult::send_all) << "not the very same date";
    EXPECT_EQ(evaluated({.if_range = at}, std::chrono::seconds(0)), PreconditionResult::send_all)
        << "it may change yet in the same second";
    EXPECT_EQ(evaluated({.if_range = at}, std::chrono::seconds(1)), PreconditionResult::send);
}

TEST_F(ConditionalRequest, has_an_order_in_its_conditions) {
    EXPECT_EQ(evaluated({.if_match = same, .if_unmodified_since = before}),
              PreconditionResult::send)
        << "a tag says more than a date";
    EXPECT_EQ(evaluated({.if_match = other, .if_none_match = same}), PreconditionResult::failed);
    EXPECT_EQ(evaluated({.if_match = same, .if_none_match = same}),
              PreconditionResult::not_modified);
    EXPECT_EQ(evaluated({.if_unmodified_since = before, .if_none_match = same}),
              PreconditionResult::failed);
    EXPECT_EQ(evaluated({.if_none_match = other, .if_modified_since = after}),
              PreconditionResult::send)
        << "a tag says more than a date";
    EXPECT_EQ(evaluated({.if_none_match = same, .if_modified_since = before}),
              PreconditionResult::not_modified);
    EXPECT_EQ(evaluated({.if_none_match = same, .if_range = same}),
              PreconditionResult::not_modified);
    EXPECT_EQ(evaluated({.if_match = other, .if_range = same}), PreconditionResult::failed);
    EXPECT_EQ(evaluated({.if_match = same, .if_none_match = other, .if_range = other}),
              PreconditionResult::send_all);
}

}  // namespace
}  // namespace handoverd
