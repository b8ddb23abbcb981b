// SPDX-License-Identifier: MIT
#include "handover/peer/message.h"

#include "unit/handover/golden_messages.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

namespace handover::test {
namespace {

using Tag = Message::Tag;
using Type = Message::Type;

// ---- golden bytes: what version 1 has written, every later version must read, and the other way

TEST(Message, writes_version_1_as_it_always_was) {
    EXPECT_EQ(encode(message_of(Type::hello, {{Tag::protocol, "1"},
                                              {Tag::generation, "4"},
                                              {Tag::version, "0.1.0"},
                                              {Tag::build_id, "deadbeef012"}})),
              golden_hello);
    EXPECT_EQ(encode(message_of(Type::ready)), golden_ready);
    EXPECT_EQ(encode(message_of(Type::failed, {{Tag::reason, "no disk"}})), golden_failed);
    EXPECT_EQ(encode(message_of(Type::go)), golden_go);
}

TEST(Message, reads_version_1_as_it_always_was) {
    const auto hello = decode(golden_hello);
    ASSERT_TRUE(hello);
    EXPECT_EQ(hello->type, Type::hello);
    EXPECT_EQ(hello->field(Tag::protocol), "1");
    EXPECT_EQ(hello->field(Tag::generation), "4");
    EXPECT_EQ(hello->field(Tag::version), "0.1.0");
    EXPECT_EQ(hello->field(Tag::build_id), "deadbeef012");
    EXPECT_EQ(hello->field(Tag::reason), "") << "not there";
    ASSERT_TRUE(decode(golden_ready));
    EXPECT_EQ(decode(golden_ready)->type, Type::ready);
    ASSERT_TRUE(decode(golden_failed));
    EXPECT_EQ(decode(golden_failed)->field(Tag::reason), "no disk");
    ASSERT_TRUE(decode(golden_go));
    EXPECT_EQ(decode(golden_go)->type, Type::go);
}

// The bytes of `connections` and `end`, version 2, are in connection_message_test.cpp.

TEST(Message, writes_and_reads_version_3_as_it_always_was) {
    EXPECT_EQ(encode(message_of(Type::drain_quota, {{Tag::count, "3"}})), golden_drain_quota);
    ASSERT_TRUE(decode(golden_drain_quota));
    EXPECT_EQ(decode(golden_drain_quota)->number(Tag::count), 3U);
    for (const auto& [type, bytes] :
         {std::pair(Type::promoted, golden_promoted),
          std::pair(Type::promote_me, golden_promote_me),
          std::pair(Type::health_check, golden_health_check),
          std::pair(Type::healthy, golden_healthy), std::pair(Type::restarting, golden_restarting),
          std::pair(Type::stopping, golden_stopping)}) {
        EXPECT_EQ(encode(message_of(type)), bytes);
        ASSERT_TRUE(decode(bytes));
        EXPECT_EQ(decode(bytes)->type, type);
    }
}

TEST(Message, writes_what_waits_in_the_fd_store_as_it_always_was) {
    EXPECT_EQ(encode(message_of(
                  Type::hello, {{Tag::protocol, "2"}, {Tag::generation, "4"}, {Tag::stored, "1"}})),
              golden_stored);
}

// ---- decode()

TEST(Message, keeps_fields_that_it_does_not_know) {
    const auto message = decode(
        "HOV1\x01\x00\x02\x00\x0b\x00\x00\x00\x00\x00\x00\x00"
        "\xff\x7f\x02\x00"
        "hi"
        "\x05\x00\x01\x00"
        "r"s);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->field(static_cast<Tag>(0x7fff)), "hi");
    EXPECT_EQ(message->field(Tag::reason), "r");
}

TEST(Message, answers_with_the_first_of_two_fields_with_a_tag) {
    EXPECT_EQ(message_of(Type::failed, {{Tag::reason, "a"}, {Tag::reason, "b"}}).field(Tag::reason),
              "a");
}

TEST(Message, does_not_look_at_the_reserved_bytes) {
    EXPECT_TRUE(decode("HOV1\x01\x00\x02\x00\x00\x00\x00\x00\xff\xff\xff\xff"s));
}

TEST(Message, carries_any_byte_in_a_field) {
    std::string all;
    for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
    const auto message = decode(encode(message_of(Type::failed, {{Tag::reason, all}})));
    ASSERT_TRUE(message);
    EXPECT_EQ(message->field(Tag::reason), all);
}

TEST(Message, cuts_a_field_that_is_too_long) {
    const auto message =
        decode(encode(message_of(Type::failed, {{Tag::reason, std::string(70'000, 'x')}})));
    ASSERT_TRUE(message);
    EXPECT_EQ(message->field(Tag::reason), std::string(65'535, 'x'));
}

TEST(Message, refuses_a_message_that_is_cut_off_anywhere) {
    for (std::size_t size = 0; size < golden_hello.size(); ++size)
        EXPECT_FALSE(decode(std::string_view(golden_hello).substr(0, size))) << size;
}

TEST(Message, refuses_what_is_not_one_well_formed_message) {
    for (const auto& [what, bytes] : malformed) EXPECT_FALSE(decode(bytes)) << what;
}

}  // namespace
}  // namespace handover::test
