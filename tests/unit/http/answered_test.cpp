// SPDX-License-Identifier: MIT
// What a server tells of each request, for an access log.
#include "http/request_text.h"
#include "unit/http/server_fixture.h"

#include <gmock/gmock.h>

#include <mutex>
#include <string>
#include <vector>

namespace handover::http {
namespace {

using std::chrono::milliseconds;

/// AnsweredRequest, kept.
struct RecordedRequest {
    std::string ip;
    std::string line;
    std::string referer;
    std::string agent;
    int status;
    std::uint64_t body_bytes;
    std::chrono::system_clock::time_point begin;
    std::chrono::nanoseconds duration;
};

class HttpAnswered : public testing::Test {
  protected:
    void start(ServerOptions options = {}, const std::string& endpoint = "127.0.0.1:0") {
        options.on_answer = [this](const AnsweredRequest& one) {
            const std::lock_guard lock(mutex_);
            recorded_.push_back({one.remote_ip, std::string(one.request_line),
                                 std::string(one.referer), std::string(one.user_agent), one.status,
                                 one.body_bytes, one.begin, one.duration});
        };
        server_.emplace(std::move(options), endpoint);
        (*server_)->Get("/chunks", [](const httplib::Request&, httplib::Response& response) {
            response.set_chunked_content_provider("text/plain",
                                                  [](std::size_t, httplib::DataSink& sink) {
                                                      sink.write("12345", 5);
                                                      sink.done();
                                                      return true;
                                                  });
        });
        server_->start();
    }
    /// Waits for the reports of that many: they come after the client has its answer.
    std::vector<RecordedRequest> await_requests(std::size_t count) {
        EXPECT_TRUE(eventually([&] {
            const std::lock_guard lock(mutex_);
            return recorded_.size() >= count;
        }));
        const std::lock_guard lock(mutex_);
        return std::exchange(recorded_, {});
    }
    RecordedRequest answer_to(const std::string& request, bool to_head = false) {
        auto client = server_->connect();
        client.send(request);
        (void)client.receive(to_head);
        auto recorded = await_requests(1);
        EXPECT_EQ(recorded.size(), 1U);
        return recorded.at(0);
    }

    std::mutex mutex_;
    std::vector<RecordedRequest> recorded_;
    std::optional<TestServer> server_;
};

TEST_F(HttpAnswered, tells_what_an_access_log_wants_to_know) {
    start();
    const auto before = std::chrono::system_clock::now();
    const auto recorded = answer_to(
        "GET /hello?a=%0a HTTP/1.1\r\nHost: a\r\nuser-agent: \t me \xff \r\n"
        "REFERER:http://b/\r\n\r\n");
    EXPECT_EQ(recorded.ip, "127.0.0.1");
    EXPECT_EQ(recorded.line, "GET /hello?a=%0a HTTP/1.1");
    EXPECT_EQ(recorded.referer, "http://b/");
    EXPECT_EQ(recorded.agent, "me \xff");
    EXPECT_EQ(recorded.status, 200);
    EXPECT_EQ(recorded.body_bytes, 6U);
    EXPECT_GE(recorded.begin, before - milliseconds(1000));
    EXPECT_LE(recorded.begin, std::chrono::system_clock::now());
    EXPECT_GT(recorded.duration.count(), 0);
}

TEST_F(HttpAnswered, tells_of_each_request_of_a_connection_once) {
    start();
    auto client = server_->connect();
    for (const auto* path : {"/hello", "/nowhere", "/hello"}) (void)client.get(path);
    const auto recorded = await_requests(3);
    ASSERT_EQ(recorded.size(), 3U);
    EXPECT_EQ(recorded[1].line, "GET /nowhere HTTP/1.1");
    EXPECT_EQ(recorded[1].status, 404);
}

TEST_F(HttpAnswered, counts_the_bytes_of_the_body_only) {
    start();
    EXPECT_EQ(answer_to("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n", true).body_bytes, 0U);
    EXPECT_EQ(answer_to("GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n").body_bytes, 0U);
    const std::string chunk = "5\r\n12345\r\n0\r\n\r\n";
    EXPECT_EQ(answer_to("GET /chunks HTTP/1.1\r\nHost: a\r\n\r\n").body_bytes, chunk.size());
    const std::string large(100'000, 'x');
    const auto recorded =
        answer_to("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + large);
    EXPECT_EQ(recorded.body_bytes, large.size());
    EXPECT_EQ(recorded.line, "POST /echo HTTP/1.1") << "the body lies where the head was";
    auto client = server_->connect();
    client.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    EXPECT_EQ(client.receive().status, 100);
    client.send("ab");
    EXPECT_EQ(client.receive().status, 200);
    EXPECT_EQ(await_requests(1).at(0).body_bytes, 2U) << "100 Continue was counted";
}

TEST_F(HttpAnswered, tells_of_what_is_refused_as_far_as_it_has_come) {
    ServerOptions options;
    options.head_timeout = milliseconds(50);
    options.head_lines_max = 2;
    options.body_bytes_max = 10;
    start(options);
    struct Case {
        std::string request;
        int status;
        std::string line;
        std::string agent;
    };
    const std::vector<Case> table{
        {"GET / HTTP/1.1\r\nUser-Agent: a\r\nbad\r\n\r\n", 400, "GET / HTTP/1.1", "a"},
        {"\x16\x03\x01\r\n\r\n", 400, "\x16\x03\x01", ""},
        {"GET / HT", 408, "GET / HT", ""},
        {"GET / HTTP/1.1\r\nUser-Agent: b", 408, "GET / HTTP/1.1", "b"},
        {"POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n", 413, "POST / HTTP/1.1", ""},
        {"POST / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", 415,
         "POST / HTTP/1.1", ""},
        {"GET / HTTP/1.1\r\nA: 1\r\nA: 2\r\nA: 3\r\n\r\n", 431, "GET / HTTP/1.1", ""}};
    for (const auto& one : table) {
        const auto recorded = answer_to(one.request);
        EXPECT_EQ(recorded.status, one.status) << one.request;
        EXPECT_EQ(recorded.line, one.line);
        EXPECT_EQ(recorded.agent, one.agent);
        EXPECT_EQ(recorded.body_bytes, 0U);
        EXPECT_EQ(recorded.ip, "127.0.0.1");
        EXPECT_EQ(recorded.duration >= options.head_timeout, one.status == 408) << one.request;
    }
}

TEST_F(HttpAnswered, has_no_address_for_who_comes_by_a_unix_socket) {
    start({}, "unix:@handover-test-answered-" + std::to_string(::getpid()));
    EXPECT_EQ(answer_to("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").ip, "");
}

}  // namespace
}  // namespace handover::http
