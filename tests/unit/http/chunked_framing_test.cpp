// SPDX-License-Identifier: MIT
#include "http/chunked_framing.h"

#include <gtest/gtest.h>

#include <string>

namespace handover::http {
namespace {

/// Of `body` followed by another request: how much is the body's? -1 if it is refused.
long body_size(const std::string& body, std::uint64_t data_bytes_max = 1000) {
    ChunkedFraming framing(data_bytes_max);
    const std::string bytes = body + "GET / HTTP/1.1\r\n\r\n";
    const auto size = framing.advance(bytes.data(), bytes.size());
    return framing.ended() && !framing.failed() ? static_cast<long>(size) : -1;
}

void expect_end(const std::string& body) {
    EXPECT_EQ(body_size(body), static_cast<long>(body.size())) << body;
}

TEST(ChunkedFraming, finds_the_end) {
    expect_end("0\r\n\r\n");
    expect_end("5\r\nhello\r\n0\r\n\r\n");
    expect_end("1\r\na\r\nA\r\n0123456789\r\n000\r\n\r\n");
}

TEST(ChunkedFraming, finds_it_whatever_the_pieces) {
    const std::string body = "5;a=b\r\nhello\r\n2\r\n\r\n\r\n0\r\nTrailer: x\r\n\r\n";
    ChunkedFraming framing(1000);
    for (const char& c : body) {
        EXPECT_FALSE(framing.ended());
        EXPECT_EQ(framing.advance(&c, 1), 1U);
    }
    EXPECT_TRUE(framing.ended());
    EXPECT_EQ(framing.advance("G", 1), 0U) << "that is the next request's";
}

TEST(ChunkedFraming, passes_over_extensions_and_trailers) {
    expect_end("5;name=value\r\nhello\r\n0\r\nA: b\r\nC: d\r\n\r\n");
    EXPECT_EQ(body_size("5;" + std::string(9000, 'a') + "\r\nhello\r\n0\r\n\r\n"), -1);
    EXPECT_EQ(body_size("0\r\nA: " + std::string(9000, 'a') + "\r\n\r\n"), -1);
}

TEST(ChunkedFraming, refuses_sizes_that_are_no_hexadecimal_numbers) {
    for (const char* size : {"-2", "+2", "0x2", "", " 2", "g", "2\n", "1000000000000000"})
        EXPECT_EQ(body_size(std::string(size) + "\r\nab\r\n0\r\n\r\n"), -1) << size;
}

TEST(ChunkedFraming, refuses_bare_line_feeds) {
    EXPECT_EQ(body_size("2\nab\r\n0\r\n\r\n"), -1);
    EXPECT_EQ(body_size("2\r\nab\n0\r\n\r\n"), -1);
    EXPECT_EQ(body_size("2\r\nab\r\n0\n\n"), -1);
    EXPECT_EQ(body_size("2;a\nb\r\nab\r\n0\r\n\r\n"), -1);
}

TEST(ChunkedFraming, refuses_chunks_longer_than_they_said) {
    EXPECT_EQ(body_size("2\r\nabc\r\n0\r\n\r\n"), -1);
}

TEST(ChunkedFraming, has_a_limit) {
    EXPECT_EQ(body_size("5\r\nhello\r\n6\r\nworld!\r\n0\r\n\r\n", 10), -1);
    EXPECT_NE(body_size("5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n", 10), -1);
    ChunkedFraming framing(10);
    (void)framing.advance("b\r\n", 3);
    EXPECT_TRUE(framing.failed());
    EXPECT_TRUE(framing.too_large()) << "which is another matter than a fault";
    ChunkedFraming faulty(10);
    (void)faulty.advance("x\r\n", 3);
    EXPECT_TRUE(faulty.failed());
    EXPECT_FALSE(faulty.too_large());
}

}  // namespace
}  // namespace handover::http
