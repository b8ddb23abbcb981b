// SPDX-License-Identifier: MIT
// What comes back for what is sent, over real sockets.
#include "support/pass_time.h"
#include "support/temporary_directory.h"
#include "unit/http/server_fixture.h"

#include <string>

namespace handover::http {
namespace {

TEST(HttpRequests, are_answered_on_one_connection_without_a_limit) {
    TestServer server;
    server.start();
    auto client = server.connect();
    for (int i = 0; i < 300; ++i) {
        const auto response = client.get("/hello");
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(response.body, "Hello\n");
        EXPECT_FALSE(response.header("Connection"));
        EXPECT_EQ(response.header("Keep-Alive"), "timeout=60");
    }
    EXPECT_EQ(server->open_connections(), 1U);
}

TEST(HttpRequests, are_answered_on_a_unix_socket) {
    const test::TemporaryDirectory directory;
    TestServer server({}, "unix:" + (directory / "s").string());
    server.start();
    auto client = server.connect();
    EXPECT_EQ(client.get("/hello").body, "Hello\n");
    EXPECT_EQ(client.get("/hello").body, "Hello\n");
}

TEST(HttpRequests, may_be_pipelined) {
    TestServer server;
    server.start();
    auto client = server.connect();
    std::string requests;
    for (int i = 0; i < 50; ++i) {
        requests += "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
        requests += "POST /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\nab" + std::to_string(i % 10);
    }
    client.send(requests);
    for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(client.receive().body, "Hello\n");
        EXPECT_EQ(client.receive().body, "ab" + std::to_string(i % 10));
    }
}

TEST(HttpRequests, may_be_more_than_is_read_at_a_time) {
    TestServer server;
    auto client = server.connect();
    std::string requests;
    const std::string request = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::size_t count = 3 * ServerOptions{}.head_bytes_max / request.size();
    for (std::size_t i = 0; i < count; ++i) requests += request;
    client.send(requests);  // all of them are there when it is read first
    server.start();
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(client.receive().body, "Hello\n") << i;
}

TEST(HttpRequests, may_come_while_the_one_before_is_at_work) {
    TestServer server;
    server.start();
    auto client = server.connect_and_block();
    client.send("GET /hello HTTP/1.1\r\n\r\n");
    // Whoever is free has been told of it, and gone, when another connection is answered.
    for (int i = 0; i < 10; ++i) EXPECT_EQ(server.connect().get("/hello").status, 200);
    server.release();
    EXPECT_EQ(client.receive().body, "Released\n");
    EXPECT_EQ(client.receive().body, "Hello\n");
}

TEST(HttpRequests, may_come_in_any_pieces) {
    TestServer server;
    server.start();
    auto client = server.connect();
    const std::string request = "\r\nPOST /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";
    for (const char c : request) client.send({&c, 1});
    EXPECT_EQ(client.receive().body, "abc");
    client.send("GET /hello HTTP/1.1\r\n\r\nGET /hel");
    EXPECT_EQ(client.receive().body, "Hello\n");
    client.send("lo HTTP/1.1\r\n\r\n");
    EXPECT_EQ(client.receive().body, "Hello\n");
}

TEST(HttpRequests, of_1_0_are_answered_and_closed) {
    TestServer server;
    server.start();
    auto client = server.connect();
    client.send("GET /hello HTTP/1.0\r\n\r\n");
    const auto response = client.receive();
    EXPECT_EQ(response.body, "Hello\n");
    EXPECT_TRUE(response.says_close());
    EXPECT_TRUE(client.closed_by_server());
}

TEST(HttpRequests, of_1_0_may_ask_for_keep_alive) {
    TestServer server;
    server.start();
    auto client = server.connect();
    for (int i = 0; i < 3; ++i) {
        client.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        const auto response = client.receive();
        EXPECT_EQ(response.body, "Hello\n");
        EXPECT_EQ(response.header("Connection"), "keep-alive");
    }
}

TEST(HttpRequests, may_ask_for_a_close_in_any_case) {
    TestServer server;
    server.start();
    auto client = server.connect();
    client.send("GET /hello HTTP/1.1\r\nConnection: Close\r\n\r\n");
    EXPECT_TRUE(client.receive().says_close());
    EXPECT_TRUE(client.closed_by_server());
}

TEST(HttpRequests, of_method_head_get_no_body) {
    TestServer server;
    server.start();
    auto client = server.connect();
    client.send("HEAD /hello HTTP/1.1\r\n\r\n");
    EXPECT_EQ(client.receive(true).header("Content-Length"), "6");
    EXPECT_EQ(client.get("/hello").body, "Hello\n") << "and the connection goes on";
}

TEST(HttpRequests, for_unknown_paths_leave_the_connection_open) {
    TestServer server;
    server.start();
    auto client = server.connect();
    const auto response = client.get("/nothing");
    EXPECT_EQ(response.status, 404);
    EXPECT_FALSE(response.says_close());
    EXPECT_EQ(client.get("/hello").status, 200);
}

TEST(HttpRequests, are_answered_after_the_client_has_ended_its_direction) {
    TestServer server;
    server.start();
    auto client = server.connect();
    client.send("GET /hello HTTP/1.1\r\n\r\n");
    client.end_sending();
    EXPECT_EQ(client.receive().body, "Hello\n");
    EXPECT_TRUE(client.closed_by_server());
}

TEST(HttpRequests, that_came_together_with_the_end_are_answered_and_the_end_is_seen) {
    TestServer server;
    auto client = server.connect();
    client.send("GET /hello HTTP/1.1\r\n\r\n");
    client.end_sending();
    server.start();
    EXPECT_EQ(client.receive().body, "Hello\n");
    EXPECT_TRUE(client.closed_by_server());
}

TEST(HttpRequests, may_have_chunked_bodies_and_go_on) {
    TestServer server;
    server.start();
    auto client = server.connect();
    for (int i = 0; i < 3; ++i) {
        client.send(
            "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
            "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\nGET /hello HTTP/1.1\r\n\r\n");
        EXPECT_EQ(client.receive().body, "hello world");
        EXPECT_EQ(client.receive().body, "Hello\n");
    }
}

TEST(HttpRequests, with_broken_chunks_end_the_connection) {
    for (const char* chunks : {"-2\r\nab\r\n0\r\n\r\n", "2\r\nabc\r\n0\r\n\r\n", "2\nab\n0\n\n"}) {
        TestServer server;
        server.start();
        auto client = server.connect();
        client.send("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" +
                    std::string(chunks) + "GET /hello HTTP/1.1\r\n\r\n");
        const auto response = client.receive();
        EXPECT_GE(response.status, 400) << chunks;
        EXPECT_TRUE(response.says_close());
        EXPECT_TRUE(client.closed_by_server()) << "the GET must not be answered";
    }
}

TEST(HttpRequests, may_wait_for_100_continue) {
    TestServer server;
    server.start();
    auto client = server.connect();
    client.send("POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    EXPECT_EQ(client.receive().status, 100);
    client.send("body");
    EXPECT_EQ(client.receive().body, "body");
    EXPECT_EQ(client.get("/hello").status, 200);
}

TEST(HttpRequests, may_have_big_bodies) {
    TestServer server;
    server.start();
    auto client = server.connect();
    std::string body(std::size_t{8} << 20U, 'x');
    for (std::size_t i = 0; i < body.size(); i += 997) body[i] = static_cast<char>('a' + i % 26);
    client.send("POST /echo HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n\r\n" + body);
    EXPECT_TRUE(client.receive().body == body);
    EXPECT_EQ(client.get("/hello").status, 200);
}

TEST(HttpRequests, may_have_small_bodies_that_come_in_pieces) {
    TestServer server;
    server.start();
    auto client = server.connect();
    auto other = server.connect();
    std::string body;
    for (int i = 0; i < 20000; ++i) body += static_cast<char>('a' + i % 26);
    const std::string request =
        "POST /echo HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    for (std::size_t at = 0; at < request.size(); at += 999) {
        client.send(request.substr(at, 999));
        EXPECT_EQ(other.get("/hello").status, 200);  // meanwhile that has been read
    }
    EXPECT_TRUE(client.receive().body == body);
    client.send(request + request.substr(0, 100));
    EXPECT_TRUE(client.receive().body == body);
    client.send(request.substr(100) + "GET /hello HTTP/1.1\r\n\r\n");
    EXPECT_TRUE(client.receive().body == body);
    EXPECT_EQ(client.receive().body, "Hello\n");
}

TEST(HttpRequests, that_end_in_the_middle_of_a_small_body_are_given_up) {
    TestServer server;
    server.start();
    auto client = server.connect();
    client.send("POST /echo HTTP/1.1\r\nContent-Length: 10\r\n\r\n01234");
    client.end_sending();
    EXPECT_TRUE(client.closed_by_server());
    EXPECT_TRUE(eventually([&] { return server->open_connections() == 0; }));
    EXPECT_EQ(server->counts()[CloseReason::closed_by_client], 1U);
}

TEST(HttpRequests, without_a_length_have_no_body) {
    TestServer server;
    server.start();
    auto client = server.connect();
    client.send("POST /echo HTTP/1.1\r\n\r\nGET /hello HTTP/1.1\r\n\r\n");
    EXPECT_EQ(client.receive().body, "");
    EXPECT_EQ(client.receive().body, "Hello\n");
}

TEST(HttpRequests, do_not_smuggle_others_in_bodies_nobody_reads) {
    TestServer server;
    server.start();
    auto client = server.connect();
    const std::string hidden = "GET /smuggled HTTP/1.1\r\n\r\n";
    client.send("GET /hello HTTP/1.1\r\nContent-Length: " + std::to_string(hidden.size()) +
                "\r\n\r\n");
    client.send(hidden + "GET /hello HTTP/1.1\r\n\r\n");
    EXPECT_EQ(client.receive().status, 200);
    EXPECT_EQ(client.receive().status, 200);
    EXPECT_TRUE(client.is_quiet());
}

/// Has a handler that leaves the body to whoever wants it.
void add_careless_route(Server& server) {
    server.Post("/careless", [](const httplib::Request&, httplib::Response& response,
                                const httplib::ContentReader&) {
        response.set_content("Whatever\n", "text/plain");
    });
}

TEST(HttpRequests, end_the_connection_if_much_of_a_body_is_left_unread) {
    TestServer server;
    add_careless_route(*server);
    server.start();
    auto client = server.connect();
    client.send("POST /careless HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n");
    EXPECT_TRUE(client.receive().says_close());
    EXPECT_TRUE(client.closed_by_server());
}

TEST(HttpRequests, are_given_to_their_handler_with_the_body_if_there_is_room_for_it) {
    ServerOptions options;
    options.head_bytes_max = 256;
    TestServer server(options);
    add_careless_route(*server);
    server.start();
    auto other = server.connect();
    for (const std::size_t size : {256U, 257U}) {
        const std::string head = "POST /careless HTTP/1.1\r\nContent-Length: 200\r\nX: ";
        const auto rest = "\r\n\r\n" + std::string(200, 'b');
        auto client = server.connect();
        client.send(head + std::string(size - head.size() - rest.size(), 'x') +
                    rest.substr(0, rest.size() - 1));
        EXPECT_EQ(other.get("/hello").status, 200);
        if (size <= options.head_bytes_max) {
            EXPECT_TRUE(client.is_quiet());
            client.send("b");
        }
        EXPECT_EQ(client.receive().body, "Whatever\n");
        if (size > options.head_bytes_max) client.send("b");
        EXPECT_EQ(client.get("/hello").body, "Hello\n");
    }
}

TEST(HttpRequests, go_on_if_little_of_a_body_is_left_unread) {
    TestServer server;
    add_careless_route(*server);
    server.start();
    auto client = server.connect();
    client.send("POST /careless HTTP/1.1\r\nContent-Length: 40000\r\n\r\n01234");
    EXPECT_EQ(client.receive().body, "Whatever\n");
    client.send(std::string(39995, 'b') +
                "POST /careless HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                "5\r\nhello\r\n0\r\n\r\n");
    EXPECT_EQ(client.receive().body, "Whatever\n");
    EXPECT_EQ(client.get("/hello").body, "Hello\n");
}

TEST(HttpRequests, end_the_connection_if_the_rest_of_a_body_does_not_come) {
    ServerOptions options;
    options.linger = std::chrono::milliseconds(50);
    TestServer server(options);
    add_careless_route(*server);
    server.start();
    auto client = server.connect();
    client.send("POST /careless HTTP/1.1\r\nContent-Length: 40000\r\n\r\n01234");
    EXPECT_EQ(client.receive().body, "Whatever\n");
    EXPECT_TRUE(client.closed_by_server());
}

TEST(HttpRequests, whose_body_stalls_are_given_up) {
    ServerOptions options;
    options.body_timeout = std::chrono::milliseconds(50);
    TestServer server(options);
    server.start();
    for (const char* begun :
         {"Content-Length: 10\r\n\r\n01234", "Content-Length: 10\r\n\r\n",
          "Content-Length: 40000\r\n\r\n01234", "Transfer-Encoding: chunked\r\n\r\n5\r\n012",
          "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n",
          "Expect: 100-continue\r\nContent-Length: 10\r\n\r\n"}) {
        auto client = server.connect();
        client.send("POST /echo HTTP/1.1\r\n" + std::string(begun));
        auto response = client.receive();
        if (response.status == 100) response = client.receive();
        EXPECT_EQ(response.status, 408) << begun;
        EXPECT_TRUE(response.says_close());
        EXPECT_TRUE(client.closed_by_server());
    }
}

TEST(HttpRequests, whose_body_trickles_gain_no_time) {
    ServerOptions options;
    options.body_timeout = std::chrono::milliseconds(100);
    TestServer server(options);
    server.start();
    for (const char* length : {"30000", "1000000"}) {
        auto client = server.connect();
        client.send("POST /echo HTTP/1.1\r\nContent-Length: " + std::string(length) + "\r\n\r\n");
        const auto deadline = Clock::now() + test::timeout;
        while (client.is_quiet() && Clock::now() < deadline) {
            client.send("a");
            test::pass_time(std::chrono::milliseconds(1));
        }
        EXPECT_LT(Clock::now(), deadline) << "without the trickling it would end anyway";
        EXPECT_EQ(client.receive().status, 408) << length;
    }
}

TEST(HttpRequests, whose_body_is_too_large_are_told_so) {
    ServerOptions options;
    options.body_bytes_max = 10;
    TestServer server(options);
    server.start();
    for (const char* body :
         {"Content-Length: 11\r\n\r\n", "Content-Length: 11\r\n\r\n01234567890",
          "Expect: 100-continue\r\nContent-Length: 11\r\n\r\n",
          "Transfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n",
          "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n1\r\n"}) {
        auto client = server.connect();
        client.send("POST /echo HTTP/1.1\r\n" + std::string(body));
        const auto response = client.receive();
        EXPECT_EQ(response.status, 413) << body;
        EXPECT_TRUE(response.says_close());
        EXPECT_TRUE(client.closed_by_server());
    }
    auto client = server.connect();
    client.send("POST /echo HTTP/1.1\r\nContent-Length: 10\r\n\r\n0123456789");
    EXPECT_EQ(client.receive().body, "0123456789") << "that is just allowed";
}

TEST(HttpRequests, that_are_malformed_are_refused_and_end_the_connection) {
    TestServer server;
    server.start();
    const std::pair<std::string, int> refused[] = {
        {"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n", 413},
        {"GET / HTTP/1.1\r\nX: " + std::string(40000, 'a') + "\r\n\r\n", 431},
        {"POST /echo HTTP/1.1\r\nContent-Length: 1\r\nContent-Encoding: gzip\r\n\r\na", 415},
        {"\x16\x03\x01\x02", 400},
        {"BREW / HTTP/1.1\r\n\r\n", 400},  // well-formed: this is httplib's to refuse
    };
    for (const auto& [request, status] : refused) {
        auto client = server.connect();
        client.send(request);
        client.send("GET /hello HTTP/1.1\r\n\r\n");
        const auto response = client.receive();
        EXPECT_EQ(response.status, status) << request.substr(0, 80);
        EXPECT_TRUE(response.says_close());
        EXPECT_TRUE(client.closed_by_server()) << request.substr(0, 80);
    }
}

TEST(HttpRequests, cannot_bring_line_breaks_into_header_values) {
    TestServer server;
    server->Get("/value", [](const httplib::Request& request, httplib::Response& response) {
        const bool clean = request.get_header_value("X").find('\n') == std::string::npos;
        response.set_content(clean ? "clean" : "dirty", "text/plain");
    });
    server.start();
    auto client = server.connect();
    client.send("GET /value HTTP/1.1\r\nX: a%0d%0aY: b\r\n\r\n");
    EXPECT_EQ(client.receive().body, "clean");
}

TEST(HttpRequests, know_both_addresses) {
    TestServer server;
    server->Get("/who", [](const httplib::Request& request, httplib::Response& response) {
        response.set_content(request.remote_addr + " " + std::to_string(request.remote_port) + " " +
                                 request.local_addr + " " + std::to_string(request.local_port),
                             "text/plain");
    });
    server.start();
    auto client = server.connect();
    const auto own = Endpoint::of_socket(client.fd());
    EXPECT_EQ(client.get("/who").body, "127.0.0.1 " + std::to_string(own.value().port()) +
                                           " 127.0.0.1 " +
                                           std::to_string(server.listener().endpoint.port()));
}

}  // namespace
}  // namespace handover::http
