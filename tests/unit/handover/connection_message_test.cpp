// SPDX-License-Identifier: MIT
#include "handover/connections/connection_message.h"

#include "support/open_descriptors.h"
#include "support/pipe.h"
#include "unit/handover/connections.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace handover::test {
namespace {

using namespace std::string_literals;
using Tag = Message::Tag;
using Type = Message::Type;

Message connections_of(std::vector<std::pair<Tag, std::string>> fields,
                       std::vector<UniqueFd> fds = {}) {
    return {Type::connections, std::move(fields), std::move(fds)};
}

UniqueFd some_connection() {
    return std::move(TestConnection().parked.fd);
}

std::vector<UniqueFd> some_connections(std::size_t count) {
    std::vector<UniqueFd> fds;
    for (std::size_t i = 0; i < count; ++i) fds.push_back(some_connection());
    return fds;
}

// ---- golden bytes: what version 2 has written, every later version must read

// "HOV1", version 2, type, length, reserved; two connections, the second in the middle of a head
const std::string golden_connections =
    "HOV1\x02\x00\x05\x00\x22\x00\x00\x00\x00\x00\x00\x00"
    "\x07\x00\x04\x00http"
    "\x07\x00\x05\x00"
    "admin"
    "\x08\x00\x05\x00"
    "GET /"
    "\x08\x00\x04\x00 HTT"s;
const std::string golden_end =
    "HOV1\x02\x00\x06\x00\x7c\x00\x00\x00\x00\x00\x00\x00"
    "\x09\x00\x06\x00held=9"
    "\x09\x00\x07\x00moved=7"
    "\x09\x00\x12\x00"
    "closed_by_client=2"
    "\x09\x00\x0f\x00last_response=0"
    "\x09\x00\x0b\x00timed_out=0"
    "\x09\x00\x09\x00"
    "drained=0"
    "\x09\x00\x11\x00"
    "cut_at_deadline=0"
    "\x09\x00\x09\x00no_room=0"s;

ConnectionCounts golden_counts() {
    ConnectionCounts counts;
    counts.opened = 9;
    counts[CloseReason::moved] = 7;
    counts[CloseReason::closed_by_client] = 2;
    return counts;
}

TEST(ConnectionBatch, reads_version_2_as_it_always_was) {
    auto message = decode(golden_connections);
    ASSERT_TRUE(message);
    message->fds = some_connections(2);
    const auto connections = unpack(std::move(*message));
    ASSERT_TRUE(connections);
    ASSERT_EQ(connections->size(), 2U);
    EXPECT_EQ((*connections)[0].listener, "http");
    EXPECT_EQ((*connections)[0].unread, "");
    EXPECT_EQ((*connections)[1].listener, "admin");
    EXPECT_EQ((*connections)[1].unread, "GET / HTT");
    const auto end = decode(golden_end);
    ASSERT_TRUE(end);
    EXPECT_EQ(counts_of(*end), golden_counts());
}

TEST(ConnectionBatch, writes_version_2_as_it_always_was) {
    EXPECT_EQ(encode(connections_of({{Tag::listener, "http"},
                                     {Tag::listener, "admin"},
                                     {Tag::unread, "GET /"},
                                     {Tag::unread, " HTT"}})),
              golden_connections);
    auto end = end_message(golden_counts());
    EXPECT_EQ(encode(end), golden_end);
}

// ---- pack() and unpack()

TEST(ConnectionBatch, brings_connections_over_as_they_were) {
    TestConnection idle("http");
    TestConnection busy("admin", "POST /a HTTP/1.1\r\n\0x"s);
    std::deque<ParkedConnection> waiting;
    waiting.push_back(std::move(idle.parked));
    waiting.push_back(std::move(busy.parked));
    auto message = pack(waiting);
    EXPECT_TRUE(waiting.empty());
    const auto connections = unpack(std::move(message));
    ASSERT_TRUE(connections);
    ASSERT_EQ(connections->size(), 2U);
    EXPECT_EQ((*connections)[0].listener, "http");
    EXPECT_EQ((*connections)[0].unread, "");
    EXPECT_TRUE(is_connected_to((*connections)[0].fd, idle.client));
    EXPECT_EQ((*connections)[1].listener, "admin");
    EXPECT_EQ((*connections)[1].unread, "POST /a HTTP/1.1\r\n\0x"s);
    EXPECT_TRUE(is_connected_to((*connections)[1].fd, busy.client));
}

TEST(ConnectionBatch, takes_no_more_than_the_kernel_sends_at_once) {
    std::deque<ParkedConnection> waiting;
    for (int i = 0; i < 300; ++i) waiting.push_back({some_connection(), "http", ""});
    EXPECT_EQ(pack(waiting).fds.size(), 253U);
    EXPECT_EQ(pack(waiting).fds.size(), 47U);
    EXPECT_TRUE(waiting.empty());
}

TEST(ConnectionBatch, stays_below_the_longest_message_however_much_is_unread) {
    std::deque<ParkedConnection> waiting;
    for (int i = 0; i < 20; ++i)
        waiting.push_back({some_connection(), "http", std::string(102'400, 'x')});
    int count = 0;
    while (!waiting.empty()) {
        ASSERT_TRUE(fits_in_a_message(waiting.front()));
        auto message = pack(waiting);
        EXPECT_LE(encode(message).size(), Channel::most_bytes);
        const auto connections = unpack(std::move(message));
        ASSERT_TRUE(connections);
        for (const auto& connection : *connections) {
            EXPECT_EQ(connection.unread.size(), 102'400U) << "in several fields";
            ++count;
        }
    }
    EXPECT_EQ(count, 20);
}

TEST(ConnectionBatch, says_what_does_not_fit) {
    EXPECT_FALSE(fits_in_a_message({UniqueFd(), "http", std::string(103'000, 'x')}));
    EXPECT_FALSE(fits_in_a_message({UniqueFd(), std::string(5000, 'x'), ""}));
}

TEST(ConnectionBatch, passes_over_fields_that_it_does_not_know) {
    const auto connections = unpack(connections_of(
        {{Tag::listener, "http"}, {static_cast<Tag>(999), "later"}}, some_connections(1)));
    ASSERT_TRUE(connections);
    EXPECT_EQ((*connections)[0].listener, "http");
}

TEST(ConnectionBatch, may_be_empty) {
    const auto connections = unpack(connections_of({}));
    ASSERT_TRUE(connections);
    EXPECT_TRUE(connections->empty());
}

TEST(ConnectionBatch, closes_everything_if_the_fields_do_not_match_the_descriptors) {
    const auto before = open_descriptors();
    EXPECT_FALSE(unpack(connections_of({{Tag::listener, "http"}}, some_connections(2))));
    EXPECT_FALSE(
        unpack(connections_of({{Tag::listener, "a"}, {Tag::listener, "b"}}, some_connections(1))));
    EXPECT_FALSE(unpack(
        connections_of({{Tag::unread, "whose?"}, {Tag::listener, "http"}}, some_connections(1))));
    EXPECT_EQ(open_descriptors(), before);
}

TEST(ConnectionBatch, closes_everything_if_a_descriptor_is_no_stream_socket) {
    const auto before = open_descriptors();
    {
        Pipe pipe;
        std::vector<UniqueFd> fds = some_connections(1);
        fds.push_back(std::move(pipe.in));
        EXPECT_FALSE(unpack(
            connections_of({{Tag::listener, "http"}, {Tag::listener, "http"}}, std::move(fds))));
    }
    EXPECT_EQ(open_descriptors(), before);
}

// ---- the account

TEST(ConnectionBatch, leaves_out_endings_that_it_does_not_know) {
    auto end = end_message(golden_counts());
    end.fields.emplace_back(Tag::connection_counts, "struck_by_lightning=4");
    end.fields.emplace_back(Tag::connection_counts, "nonsense");
    EXPECT_EQ(counts_of(end), golden_counts());
}

}  // namespace
}  // namespace handover::test
