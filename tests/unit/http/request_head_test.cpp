// SPDX-License-Identifier: MIT
#include "http/request_head.h"

#include <gtest/gtest.h>

#include <string>

namespace handover::http {
namespace {

constexpr HeadLimits limits{1024, 10, 1000};

HeadVerdict scan(const std::string& bytes, RequestHead& head) {
    return scan_request_head(bytes, limits, head);
}

HeadVerdict scan(const std::string& bytes) {
    RequestHead head;
    return scan(bytes, head);
}

/// The verdict on a GET with these header lines.
HeadVerdict scan_with(const std::string& lines) {
    return scan("GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n");
}

RequestHead head_of(const std::string& bytes) {
    RequestHead head;
    EXPECT_EQ(scan(bytes, head), HeadVerdict::complete) << bytes;
    return head;
}

TEST(RequestHead, ends_at_the_empty_line) {
    const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    EXPECT_EQ(head_of(request + "GET /next").length_bytes, request.size());
}

TEST(RequestHead, is_incomplete_at_every_byte_before_the_last) {
    const std::string request = "POST /a?b=c HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
    for (std::size_t size = 0; size < request.size(); ++size)
        EXPECT_EQ(scan(request.substr(0, size)), HeadVerdict::incomplete) << size;
    EXPECT_EQ(scan(request), HeadVerdict::complete);
}

TEST(RequestHead, reads_the_content_length) {
    EXPECT_EQ(head_of("GET / HTTP/1.1\r\ncontent-length: \t42 \r\n\r\n").content_length_bytes, 42U);
    EXPECT_EQ(head_of("GET / HTTP/1.1\r\n\r\n").content_length_bytes, 0U);
}

TEST(RequestHead, reads_the_chunked_coding) {
    EXPECT_TRUE(head_of("POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n").chunked);
}

TEST(RequestHead, knows_when_the_client_wants_a_close) {
    EXPECT_FALSE(head_of("GET / HTTP/1.1\r\n\r\n").wants_close);
    EXPECT_TRUE(head_of("GET / HTTP/1.1\r\nConnection: Close\r\n\r\n").wants_close);
    EXPECT_TRUE(head_of("GET / HTTP/1.1\r\nConnection: te , close\r\n\r\n").wants_close);
    EXPECT_FALSE(head_of("GET / HTTP/1.1\r\nConnection: closed\r\n\r\n").wants_close);
    EXPECT_TRUE(head_of("GET / HTTP/1.0\r\n\r\n").wants_close);
    EXPECT_FALSE(head_of("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").wants_close);
    const auto both = "GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n";
    EXPECT_TRUE(head_of(both).wants_close);
}

TEST(RequestHead, knows_a_websocket_and_an_expectation) {
    EXPECT_TRUE(head_of("GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n").websocket);
    EXPECT_FALSE(head_of("GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n").websocket);
    EXPECT_FALSE(
        head_of("GET / HTTP/1.1\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\n").websocket);
    EXPECT_TRUE(head_of("PUT / HTTP/1.1\r\nExpect: 100-Continue\r\n\r\n").expects_continue);
}

TEST(RequestHead, reports_encoded_line_breaks_in_values) {
    EXPECT_TRUE(head_of("GET / HTTP/1.1\r\nX: a%0d%0aY: b\r\n\r\n").has_encoded_control);
    EXPECT_TRUE(head_of("GET / HTTP/1.1\r\nX: a%0A\r\n\r\n").has_encoded_control);
    EXPECT_TRUE(head_of("GET / HTTP/1.1\r\nX: %00\r\n\r\n").has_encoded_control);
    EXPECT_TRUE(head_of("GET / HTTP/1.1\r\nX: %u000D%u000a\r\n\r\n").has_encoded_control);
    EXPECT_TRUE(head_of("GET / HTTP/1.1\r\nX: %%0a\r\n\r\n").has_encoded_control);
    EXPECT_FALSE(head_of("GET / HTTP/1.1\r\nX: 100%0\r\n\r\n").has_encoded_control);
    EXPECT_FALSE(head_of("GET / HTTP/1.1\r\nX: %u00e4%u010a%u00\r\n\r\n").has_encoded_control);
    EXPECT_FALSE(head_of("GET /%0a HTTP/1.1\r\nX: %20\r\n\r\n").has_encoded_control);
}

TEST(RequestHead, refuses_two_content_lengths) {
    EXPECT_EQ(scan_with("Content-Length: 0\r\nContent-Length: 5\r\n"), HeadVerdict::malformed);
    EXPECT_EQ(scan_with("Content-Length: 5\r\nContent-Length: 5\r\n"), HeadVerdict::malformed);
    EXPECT_EQ(scan_with("Content-Length: 5, 5\r\n"), HeadVerdict::malformed);
}

TEST(RequestHead, refuses_a_content_length_that_is_no_number) {
    for (const char* value : {"", "+0", "-1", "0x10", "1 0", "5a", "%31", "9999999999999999999"})
        EXPECT_EQ(scan_with("Content-Length: " + std::string(value) + "\r\n"),
                  HeadVerdict::malformed)
            << value;
}

TEST(RequestHead, refuses_a_length_together_with_chunks) {
    const std::string length = "Content-Length: 5\r\n";
    const std::string chunked = "Transfer-Encoding: chunked\r\n";
    EXPECT_EQ(scan_with(length + chunked), HeadVerdict::malformed);
    EXPECT_EQ(scan_with(chunked + length), HeadVerdict::malformed);
    EXPECT_EQ(scan_with("Content-Length: 0\r\n" + chunked), HeadVerdict::malformed);
}

TEST(RequestHead, refuses_transfer_codings_other_than_chunked) {
    for (const char* value : {"gzip", "gzip, chunked", "chunked, chunked", "xchunked", "chunked;a",
                              "\vchunked", "identity", ""})
        EXPECT_EQ(scan_with("Transfer-Encoding: " + std::string(value) + "\r\n"),
                  HeadVerdict::malformed)
            << value;
    EXPECT_EQ(scan_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
              HeadVerdict::malformed);
    EXPECT_EQ(scan("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
              HeadVerdict::malformed);
}

TEST(RequestHead, refuses_folded_lines_and_spaces_around_names) {
    EXPECT_EQ(scan_with("X: a\r\n b\r\n"), HeadVerdict::malformed);
    EXPECT_EQ(scan_with(" X: a\r\n"), HeadVerdict::malformed);
    EXPECT_EQ(scan_with("Content-Length : 5\r\n"), HeadVerdict::malformed);
    EXPECT_EQ(scan_with("Transfer-Encoding\t: chunked\r\n"), HeadVerdict::malformed);
    EXPECT_EQ(scan_with(": a\r\n"), HeadVerdict::malformed);
    EXPECT_EQ(scan_with("no colon\r\n"), HeadVerdict::malformed);
}

TEST(RequestHead, refuses_bare_line_feeds_and_carriage_returns) {
    EXPECT_EQ(scan("GET / HTTP/1.1\n\n"), HeadVerdict::malformed);
    EXPECT_EQ(scan("GET / HTTP/1.1\nHost: a\r\n\r\n"), HeadVerdict::malformed);
    EXPECT_EQ(scan_with("X: a\rTransfer-Encoding: chunked\r\n"), HeadVerdict::malformed);
    EXPECT_EQ(scan_with("X: a\nTransfer-Encoding: chunked\r\n"), HeadVerdict::malformed);
    EXPECT_EQ(scan("GET / HTTP/1.1\r\nX: a\r\n\n"), HeadVerdict::malformed);
}

TEST(RequestHead, refuses_control_characters) {
    EXPECT_EQ(scan_with(std::string("X: a\0b\r\n", 8)), HeadVerdict::malformed);
    EXPECT_EQ(scan_with("X: a\x7f\r\n"), HeadVerdict::malformed);
    EXPECT_EQ(scan("GET /\x01 HTTP/1.1\r\n\r\n"), HeadVerdict::malformed);
    EXPECT_EQ(scan_with("X: a\tb\r\n"), HeadVerdict::complete);
    EXPECT_EQ(scan_with("X: \xc3\xa4\r\n"), HeadVerdict::complete);
}

TEST(RequestHead, refuses_request_lines_that_leave_room_for_doubt) {
    for (const char* line :
         {"GET  / HTTP/1.1", "GET /  HTTP/1.1", "GET / a HTTP/1.1", "GET /", "GET",
          "GET / HTTP/1.2", "GET / HTTP/2.0", "GET / http/1.1", "G(T / HTTP/1.1", " GET / HTTP/1.1",
          "GET / HTTP/1.1 ", "GET\t/\tHTTP/1.1"})
        EXPECT_EQ(scan(std::string(line) + "\r\nHost: a\r\n\r\n"), HeadVerdict::malformed) << line;
}

TEST(RequestHead, refuses_two_hosts_but_not_none) {
    EXPECT_EQ(scan_with("Host: b\r\n"), HeadVerdict::malformed);
    EXPECT_EQ(scan("GET / HTTP/1.1\r\n\r\n"), HeadVerdict::complete);
}

TEST(RequestHead, refuses_names_under_which_httplib_kept_addresses) {
    for (const char* name : {"REMOTE_ADDR", "remote_port", "Local_Addr", "LOCAL_PORT"})
        EXPECT_EQ(scan_with(std::string(name) + ": 1\r\n"), HeadVerdict::malformed) << name;
}

TEST(RequestHead, refuses_a_list_of_forwarders_that_names_nobody) {
    for (const char* nobody : {"", " ", ",", ", ,\t", "%2C", ", %20", "%u002c"})
        EXPECT_EQ(scan_with("x-forwarded-for: " + std::string(nobody) + "\r\n"),
                  HeadVerdict::malformed)
            << nobody;
    for (const char* somebody : {"192.0.2.1", ", 192.0.2.1", "fe80::1%25eth0, ,", "_hidden"})
        EXPECT_EQ(scan_with("X-Forwarded-For: " + std::string(somebody) + "\r\n"),
                  HeadVerdict::complete)
            << somebody;
}

TEST(RequestHead, knows_a_range_that_is_to_be_ignored) {
    EXPECT_FALSE(head_of("GET / HTTP/1.1\r\n\r\n").has_foreign_range);
    EXPECT_FALSE(head_of("GET / HTTP/1.1\r\nRange: bytes=0-1, -5\r\n\r\n").has_foreign_range);
    EXPECT_TRUE(head_of("GET / HTTP/1.1\r\nRange: lines=0-1\r\n\r\n").has_foreign_range);
    EXPECT_TRUE(head_of("GET / HTTP/1.1\r\nrange: bytes=2-1\r\n\r\n").has_foreign_range);
}

TEST(RequestHead, can_hide_ranges) {
    std::string head =
        "GET /Range: HTTP/1.1\r\nRange: a\r\nX: Range:\r\nrAnGe:b\r\nRanges: c\r\n\r\n";
    hide_ranges(head);
    EXPECT_EQ(head,
              "GET /Range: HTTP/1.1\r\n-----: a\r\nX: Range:\r\n-----:b\r\nRanges: c\r\n\r\n");
}

TEST(RequestHead, refuses_more_ranges_than_anybody_needs) {
    EXPECT_EQ(scan_with("Range: bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-\r\n"), HeadVerdict::complete);
    EXPECT_EQ(scan_with("range: bytes=0-,0-,0-,0-,0-,0-,0-,0-,0-\r\n"), HeadVerdict::malformed);
    EXPECT_EQ(scan_with("Range: bytes=0-,0-,0-,0-,0-\r\nRange: bytes=0-,0-,0-,0-\r\n"),
              HeadVerdict::malformed);
}

TEST(RequestHead, refuses_other_protocols_at_their_first_byte) {
    EXPECT_EQ(scan("\x16\x03\x01"), HeadVerdict::malformed);
    EXPECT_EQ(scan("(hello"), HeadVerdict::malformed);
}

TEST(RequestHead, finds_a_fault_before_the_head_is_complete) {
    EXPECT_EQ(scan("GET / HTTP/1.1\r\nContent-Length: x\r\n"), HeadVerdict::malformed);
}

TEST(RequestHead, has_a_limit_in_bytes) {
    const std::string start = "GET / HTTP/1.1\r\nX: ";
    const std::string filler(limits.bytes_max - start.size() - 4, 'a');
    EXPECT_EQ(scan(start + filler + "\r\n\r\n"), HeadVerdict::complete);
    EXPECT_EQ(scan(start + filler + "a\r\n\r\n"), HeadVerdict::head_too_large);
    EXPECT_EQ(scan(std::string(limits.bytes_max, 'a')), HeadVerdict::head_too_large);
    EXPECT_EQ(scan(std::string(limits.bytes_max - 1, 'a')), HeadVerdict::incomplete);
}

TEST(RequestHead, has_a_limit_in_lines) {
    std::string lines;
    for (std::size_t i = 0; i < limits.lines_max - 1; ++i) lines += "X: a\r\n";
    EXPECT_EQ(scan_with(lines), HeadVerdict::complete) << "Host is the last one allowed";
    EXPECT_EQ(scan_with(lines + "X: a\r\n"), HeadVerdict::head_too_large);
}

TEST(RequestHead, has_a_limit_for_the_body) {
    EXPECT_EQ(scan_with("Content-Length: 1000\r\n"), HeadVerdict::complete);
    EXPECT_EQ(scan_with("Content-Length: 1001\r\n"), HeadVerdict::body_too_large);
}

TEST(RequestHead, refuses_bodies_that_would_have_to_be_decompressed) {
    for (const char* coding : {"gzip", "br", "deflate, gzip", "identity, gzip", "x", ""})
        EXPECT_EQ(
            scan_with("Content-Length: 5\r\nContent-Encoding: " + std::string(coding) + "\r\n"),
            HeadVerdict::body_is_coded)
            << coding;
    EXPECT_EQ(scan_with("content-encoding: gzip\r\nContent-Encoding: identity\r\n"),
              HeadVerdict::body_is_coded);
    EXPECT_EQ(scan_with("Content-Encoding: Identity\r\nAccept-Encoding: gzip\r\n"),
              HeadVerdict::complete);
}

TEST(RequestHead, may_follow_empty_lines) {
    EXPECT_EQ(count_leading_empty_lines("\r\n\r\nGET"), 4U);
    EXPECT_EQ(count_leading_empty_lines("\r"), 0U);
    EXPECT_EQ(count_leading_empty_lines("GET\r\n"), 0U);
    EXPECT_EQ(count_leading_empty_lines(""), 0U);
}

}  // namespace
}  // namespace handover::http
