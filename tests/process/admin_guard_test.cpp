// SPDX-License-Identifier: MIT
// What a web page of somebody else can make the operator's browser ask of the admin listener.

#include "process/process_fixture.h"

#include <string>

namespace handover::test {
namespace {

class AdminGuard : public ProcessTest {
  protected:
    [[nodiscard]] static DaemonOptions on_tcp() {
        auto start = with_options({});
        start.admin = "127.0.0.1:0";
        return start;
    }
    /// `{}` stands for the address and its port.
    static int ask(const Endpoint& admin, const std::string& line, std::string headers) {
        const auto own = admin.to_string();
        for (auto at = headers.find("{}"); at != std::string::npos; at = headers.find("{}", at))
            headers.replace(at, 2, own);
        RawClient client(admin, timeout);
        client.send(line + " HTTP/1.1\r\n" + headers + "Content-Length: 0\r\n\r\n");
        return client.receive().status;
    }
};

TEST_F(AdminGuard, lets_those_ask_who_are_no_page_of_somebody_else) {
    Daemon daemon(directory_, on_tcp());
    const auto admin = endpoint_in(daemon.await_line(") serves"), "admin");
    for (const auto* headers :
         {"Host: {}\r\n", "Host: localhost\r\n", "Host: LocalHost:9998\r\n", "Host: [::1]:9998\r\n",
          "Host: 192.0.2.1\r\n", "Host: {}\r\nOrigin: http://{}\r\n",
          "Host: localhost:9998\r\nOrigin: http://localhost:9998\r\n",
          "Host: {}\r\nSec-Fetch-Site: same-origin\r\n", "Host: {}\r\nSec-Fetch-Site: none\r\n",
          "Host: {}\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n"})
        EXPECT_EQ(ask(admin, "GET /status", headers), 200) << headers;
    EXPECT_EQ(ask(admin, "POST /reload", "Host: {}\r\nOrigin: http://{}\r\n"), 200);
}

TEST_F(AdminGuard, refuses_what_pages_of_others_ask_for) {
    Daemon daemon(directory_, on_tcp());
    const auto admin = endpoint_in(daemon.await_line(") serves"), "admin");
    for (const auto* headers :
         {"Host: evil.example\r\n", "Host: rebound\r\n", "Host: {}.evil.example\r\n",
          "Host: localhost.evil.example\r\n", "Host: evil.example:9998\r\n",
          "Host: evil.example\r\nOrigin: http://evil.example\r\n",
          "Host: {}\r\nOrigin: http://evil.example\r\n", "Host: {}\r\nOrigin: null\r\n",
          "Host: {}\r\nOrigin: http://{}.evil.example\r\n",
          "Host: localhost:9998\r\nOrigin: http://localhost:3000\r\n",
          "Host: {}\r\nSec-Fetch-Site: cross-site\r\n",
          "Host: {}\r\nSec-Fetch-Site: same-site\r\n"})
        for (const auto* line : {"POST /reload", "GET /status", "GET /events"})
            EXPECT_EQ(ask(admin, line, headers), 403) << line << " with " << headers;
    EXPECT_EQ(ask(admin, "POST /reload",
                  "Host: {}\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n"),
              403)
        << "a form is sent by following it";
    EXPECT_EQ(daemon.ask().generation, 1U);
}

TEST_F(AdminGuard, is_there_on_a_unix_socket_too_for_there_are_tunnels_to_it) {
    Daemon daemon(directory_, with_options({}));
    const auto admin = daemon.admin();
    for (const auto* headers :
         {"Host: localhost:9998\r\nOrigin: http://evil.example\r\n", "Host: evil.example:9998\r\n",
          "Host: localhost:9998\r\nSec-Fetch-Site: cross-site\r\n"})
        for (const auto* line : {"POST /reload", "GET /status", "GET /events"})
            EXPECT_EQ(ask(admin, line, headers), 403) << line << " with " << headers;
    for (const auto* headers : {"Host: localhost\r\n", "Host: test\r\n", "Host:\r\n",
                                "Host: /run/handoverd.d/admin.sock\r\n",
                                "Host: localhost:9998\r\nOrigin: http://localhost:9998\r\n"})
        EXPECT_EQ(ask(admin, "GET /status", headers), 200) << headers;
    EXPECT_EQ(daemon.ask().generation, 1U);
}

TEST_F(AdminGuard, lets_load_balancers_and_Prometheus_use_whatever_name_we_have) {
    Daemon daemon(directory_, on_tcp());
    const auto admin = endpoint_in(daemon.await_line(") serves"), "admin");
    for (const auto* path : {"/healthz", "/readyz", "/metrics"})
        EXPECT_EQ(ask(admin, std::string("GET ") + path, "Host: web1.example.com:9998\r\n"), 200)
            << path;
}

}  // namespace
}  // namespace handover::test
