// SPDX-License-Identifier: MIT
// What httplib writes, in the ways of its versions, and what goes over the wire.
#include "http/message_stream.h"

#include <gtest/gtest.h>

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace handover::http {
namespace {

class MessageStreamTest : public testing::Test {
  protected:
    MessageStreamTest() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()),
                  0);
        connection_.fd = UniqueFd(ends[0]);
        client_ = UniqueFd(ends[1]);
    }

    /// What the client gets of a response that httplib writes in these pieces.
    std::string sent(const std::vector<std::string_view>& pieces) {
        MessageStream stream(connection_, input_, head_, options_, waits_);
        stream.end_reading();
        stream.cork(headers_);
        for (const auto piece : pieces)
            EXPECT_EQ(stream.write(piece.data(), piece.size()), static_cast<ssize_t>(piece.size()));
        EXPECT_TRUE(stream.flush());
        EXPECT_EQ(stream.body_bytes_sent(), 5U);
        EXPECT_EQ(headers_.size(), 1U) << "they are given back";
        std::array<char, 1024> bytes{};
        const ssize_t count = ::recv(client_.get(), bytes.data(), bytes.size(), 0);
        return {bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0))};
    }

    Connection connection_;
    UniqueFd client_;
    ReceiveBuffer input_{1024};
    RequestHead head_;
    ServerOptions options_;
    SlowClientLimit waits_{1};
    httplib::Headers headers_{{"Content-Length", "5"}};
};

constexpr auto whole = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello";

TEST_F(MessageStreamTest, puts_the_headers_between_a_head_and_its_body) {
    EXPECT_EQ(sent({"HTTP/1.1 200 OK\r\n\r\n", "Hello"}), whole);
}

TEST_F(MessageStreamTest, puts_the_headers_into_a_head_that_comes_with_its_body) {
    EXPECT_EQ(sent({"HTTP/1.1 200 OK\r\n\r\nHello"}), whole);
}

TEST_F(MessageStreamTest, does_not_take_an_empty_line_of_the_body_for_the_end_of_the_head) {
    EXPECT_EQ(sent({"HTTP/1.1 200 OK\r\n\r\n\r\n\r\n!"}),
              "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\r\n\r\n!");
}

}  // namespace
}  // namespace handover::http
