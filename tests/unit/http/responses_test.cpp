// SPDX-License-Identifier: MIT
// Responses of every kind, over real sockets.
#include "http/http_date.h"
#include "support/temporary_directory.h"
#include "unit/http/server_fixture.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <future>
#include <stdexcept>
#include <string>

namespace handover::http {
namespace {

TEST(HttpResponses, may_come_from_a_content_provider) {
    TestServer server;
    const std::string content(300000, 'c');
    server->Get("/sized", [&](const httplib::Request&, httplib::Response& response) {
        response.set_content_provider(
            content.size(), "text/plain",
            [&](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
                return sink.write(content.data() + offset, std::min<std::size_t>(length, 10000));
            });
    });
    server->Get("/chunked", [&](const httplib::Request&, httplib::Response& response) {
        response.set_chunked_content_provider("text/plain",
                                              [&](std::size_t offset, httplib::DataSink& sink) {
                                                  if (offset < content.size())
                                                      return sink.write(content.data(), 10000);
                                                  sink.done();
                                                  return true;
                                              });
    });
    server.start();
    auto client = server.connect();
    EXPECT_EQ(client.get("/sized").body, content);
    EXPECT_EQ(client.get("/chunked").body.size(), content.size());
    EXPECT_EQ(client.get("/hello").status, 200);
}

TEST(HttpResponses, to_1_0_are_sent_without_chunks) {
    TestServer server;
    server->Get("/chunked", [](const httplib::Request&, httplib::Response& response) {
        response.set_chunked_content_provider("text/plain",
                                              [](std::size_t offset, httplib::DataSink& sink) {
                                                  if (offset < 10) return sink.write("12345", 5);
                                                  sink.done();
                                                  return true;
                                              });
    });
    server.start();
    for (const char* more : {"", "Connection: keep-alive\r\n", "Accept-Encoding: gzip\r\n"}) {
        auto client = server.connect();
        client.send("GET /chunked HTTP/1.0\r\n" + std::string(more) + "\r\n");
        const auto response = client.receive();
        EXPECT_EQ(response.body, "1234512345") << more;
        EXPECT_FALSE(response.header("Transfer-Encoding"));
        EXPECT_FALSE(response.header("Content-Encoding"));
        EXPECT_TRUE(response.says_close());
    }
}

TEST(HttpResponses, without_a_length_end_with_the_connection) {
    TestServer server;
    server->Get("/endless", [](const httplib::Request&, httplib::Response& response) {
        response.set_content_provider("text/plain",
                                      [](std::size_t offset, httplib::DataSink& sink) {
                                          if (offset >= 5) sink.done();
                                          return offset >= 5 || sink.write("12345", 5);
                                      });
    });
    server.start();
    auto client = server.connect();
    client.send("GET /endless HTTP/1.1\r\n\r\n");
    const auto response = client.receive();
    EXPECT_EQ(response.body, "12345");
    EXPECT_TRUE(response.says_close());
}

TEST(HttpResponses, without_content_have_no_length) {
    TestServer server;
    for (const int status : {204, 304})
        server->Get("/" + std::to_string(status),
                    [status](const httplib::Request&, httplib::Response& response) {
                        response.status = status;
                    });
    server.start();
    auto client = server.connect();
    for (const int status : {204, 304}) {
        const auto response = client.get("/" + std::to_string(status));
        EXPECT_EQ(response.status, status);
        EXPECT_FALSE(response.header("Content-Length")) << response.head;
        EXPECT_EQ(client.get("/hello").body, "Hello\n") << "the connection goes on";
    }
}

TEST(HttpResponses, have_a_date_if_the_handler_gives_none) {
    TestServer server;
    server->Get("/dated", [](const httplib::Request&, httplib::Response& response) {
        response.set_header("Date", "Sun, 06 Nov 1994 08:49:37 GMT");
    });
    server.start();
    auto client = server.connect();
    const auto now = [] {
        return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    };
    const auto before = now();
    const auto date = parse_http_date(client.get("/hello").header("Date").value_or(""), before);
    ASSERT_TRUE(date);
    EXPECT_TRUE(before <= *date && *date <= now());
    const auto own = client.get("/dated");
    EXPECT_EQ(own.header("Date"), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(own.head.find("Date:"), own.head.rfind("Date:")) << own.head;
}

TEST(HttpResponses, to_a_range_that_is_none_are_whole) {
    TestServer server;
    server->Get("/headers", [](const httplib::Request& request, httplib::Response& response) {
        std::string text;
        for (const auto& [name, value] : request.headers)
            if (value.find("0-1") != std::string::npos)
                text.append(name).append(": ").append(value);
        response.set_content(text.empty() ? "none" : text, "text/plain");
    });
    server.start();
    auto client = server.connect();
    for (const char* range : {"lines=0-1", "bytes=2-0-1", "bytes=0-1,", "0-1"}) {
        client.send("GET /headers HTTP/1.1\r\nRange: " + std::string(range) + "\r\n\r\n");
        const auto response = client.receive();
        EXPECT_EQ(response.status, 200) << range;
        EXPECT_EQ(response.body, "none") << range;
    }
    client.send("GET /hello HTTP/1.1\r\nRange: bytes=1-2\r\n\r\n");
    EXPECT_EQ(client.receive().body, "el") << "others are still httplib's";
}

TEST(HttpResponses, may_come_from_files) {
    const test::TemporaryDirectory directory;
    std::ofstream(directory / "page.txt") << "page";
    TestServer server;
    server->set_mount_point("/files", directory.path().string());
    server.start();
    auto client = server.connect();
    EXPECT_EQ(client.get("/files/page.txt").body, "page");
    EXPECT_EQ(client.get("/files/page.txt").body, "page");
}

TEST(HttpResponses, pass_the_users_post_routing_handler) {
    TestServer server;
    server->set_post_routing_handler([](const httplib::Request&, httplib::Response& response) {
        response.set_header("X-Late", "yes");
    });
    server.start();
    auto client = server.connect();
    const auto response = client.get("/hello");
    EXPECT_EQ(response.header("X-Late"), "yes");
    EXPECT_FALSE(response.says_close());
}

TEST(HttpResponses, may_ask_for_a_close) {
    TestServer server;
    server->Get("/last", [](const httplib::Request&, httplib::Response& response) {
        response.set_header("Connection", "Close");
        response.set_content("last", "text/plain");
    });
    server.start();
    auto client = server.connect();
    EXPECT_TRUE(client.get("/last").says_close());
    EXPECT_TRUE(client.closed_by_server());
}

TEST(HttpResponses, do_not_tell_what_an_exception_said) {
    TestServer server;
    server->Get("/throw", [](const httplib::Request&, httplib::Response&) {
        throw std::runtime_error("secret");
    });
    server.start();
    auto client = server.connect();
    const auto response = client.get("/throw");
    EXPECT_EQ(response.status, 500);
    EXPECT_EQ(response.head.find("secret"), std::string::npos);
}

TEST(HttpResponses, that_throw_in_a_hook_end_only_their_connection) {
    std::promise<std::string> error;
    ServerOptions options;
    options.on_error = [&](const std::string& what) { error.set_value(what); };
    TestServer server(options);
    server->set_post_routing_handler([](const httplib::Request& request, httplib::Response&) {
        if (request.path == "/throw") throw std::runtime_error("in the hook");
    });
    server.start();
    auto client = server.connect();
    client.send("GET /throw HTTP/1.1\r\n\r\n");
    EXPECT_TRUE(client.closed_by_server());
    EXPECT_NE(error.get_future().get().find("in the hook"), std::string::npos);
    EXPECT_EQ(server.connect().get("/hello").status, 200);
}

TEST(HttpResponses, end_the_connection_if_our_hook_was_replaced) {
    std::promise<void> told;
    ServerOptions options;
    options.on_error = [&](const std::string&) { told.set_value(); };
    TestServer server(options);
    httplib::Server& base = *server;
    base.set_post_routing_handler([](const httplib::Request&, httplib::Response&) {});
    server.start();
    auto client = server.connect();
    EXPECT_EQ(client.get("/hello").body, "Hello\n");
    EXPECT_TRUE(client.closed_by_server());
    EXPECT_TRUE(is_ready(told.get_future()));
}

TEST(HttpResponses, nobody_reads_do_not_harm_others) {
    const std::string much(std::size_t{16} << 20U, 'm');  // outlives its handlers
    TestServer server;
    server->Get("/much", [&](const httplib::Request&, httplib::Response& response) {
        response.set_content(much, "text/plain");
    });
    server.start();
    auto gone = server.connect();
    gone.send("GET /much HTTP/1.1\r\n\r\n");
    EXPECT_EQ(gone.receive_bytes(9), "HTTP/1.1 ");
    gone.reset();
    EXPECT_EQ(server.connect().get("/hello").status, 200);
    EXPECT_TRUE(eventually([&] { return server->open_connections() == 0; }));
}

/// Of a response that fills every buffer, after the time in which somebody has to take some of it.
class UnwantedResponse : public testing::Test {
  protected:
    UnwantedResponse() : server_(impatient()) {
        server_->Get("/much", [&](const httplib::Request&, httplib::Response& response) {
            response.set_content(much_, "text/plain");
        });
        server_.start();
    }
    /// Has the server given it up, while the client does this again and again?
    [[nodiscard]] bool is_given_up(const std::function<void(RawClient&)>& client_does) {
        auto client = server_.connect();
        client.send("GET /much HTTP/1.1\r\n\r\n");
        EXPECT_EQ(client.receive_bytes(9), "HTTP/1.1 ");
        return eventually([&] {
            client_does(client);
            return server_->open_connections() == 0;
        });
    }

  private:
    static ServerOptions impatient() {
        ServerOptions options;
        options.write_stall_timeout = std::chrono::milliseconds(50);
        options.linger = std::chrono::milliseconds(50);
        return options;
    }

    const std::string much_ = std::string(std::size_t{64} << 20U, 'm');  // outlives its handlers
    TestServer server_;
};

TEST_F(UnwantedResponse, is_given_up) {
    EXPECT_TRUE(is_given_up([](RawClient&) {}));
}

TEST_F(UnwantedResponse, is_given_up_when_it_is_taken_byte_by_byte) {
    EXPECT_TRUE(is_given_up([](RawClient& client) { (void)client.receive_bytes(1); }));
}

TEST(HttpResponses, are_not_destroyed_by_a_body_that_nobody_reads) {
    TestServer server;
    server.start();
    auto client = server.connect();
    client.send("POST /hello HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n");  // refused at once
    client.send(std::string(200000, 'b'));
    EXPECT_EQ(client.receive().status, 413);
}

}  // namespace
}  // namespace handover::http
