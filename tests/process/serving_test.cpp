// SPDX-License-Identifier: MIT
// HTTP through the daemon: its routes, on every kind of address.

#include "process/process_fixture.h"

#include <unistd.h>

namespace handover::test {
namespace {

namespace fs = std::filesystem;

class Serving : public ProcessTest {
  protected:
    void expect_to_serve_on(const std::string& address) const {
        auto start = with_options({});
        start.listen = {address};
        Daemon daemon(directory_, start);
        Load load(daemon.address(), {"--connections", "2", "--rate", "100"});
        EXPECT_EQ(daemon.ask().pid, daemon.pid());
        EXPECT_EQ(daemon.reload().status, 0);
        load.await_answers(5);
        EXPECT_EQ(daemon.ask().generation, 2U);
        const auto report = expect_nothing_lost(load);
        EXPECT_EQ(report.last_generation(), 2);
        daemon.signal(SIGTERM);
        EXPECT_EQ(daemon.await_end(), 0);
        EXPECT_TRUE(refuses(daemon.address()));
        EXPECT_TRUE(fs::is_empty(directory_.path()));
    }
};

TEST_F(Serving, hello_is_answered_to_GET_HEAD_and_POST) {
    const Daemon daemon(directory_, with_options({}));
    RawClient client(daemon.address(), timeout);
    const auto to_get = client.get("/hello");
    EXPECT_EQ(to_get.status, 200);
    EXPECT_EQ(to_get.body, "hello world\n");
    EXPECT_EQ(to_get.header("Content-Type"), "text/plain");
    EXPECT_EQ(answer_in(to_get).generation, 1U);
    EXPECT_EQ(answer_in(to_get).pid, daemon.pid());

    client.send("HEAD /hello HTTP/1.1\r\nHost: test\r\n\r\n");
    const auto to_head = client.receive(/*to_head=*/true);
    EXPECT_EQ(to_head.status, 200);
    EXPECT_EQ(to_head.header("Content-Length"), "12");
    EXPECT_EQ(answer_in(to_head).pid, daemon.pid());

    client.send("POST /hello HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\n12345");
    const auto to_post = client.receive();
    EXPECT_EQ(to_post.status, 200);
    EXPECT_EQ(to_post.body, "hello world\n");
    EXPECT_EQ(client.get("/elsewhere").status, 404);
    EXPECT_EQ(client.get("/hello").status, 200);
}

TEST_F(Serving, hello_sleeps_within_bounds) {
    const Daemon daemon(directory_, with_options({}));
    EXPECT_EQ(daemon.ask("/hello?sleep=10ms").body, "hello world\n");
    EXPECT_EQ(daemon.ask("/hello?sleep=0s").status, 200);
    for (const auto* sleep : {"61s", "2min", "-1s", "20", "soon", "", "99999999999999999999s"})
        EXPECT_EQ(daemon.ask(std::string("/hello?sleep=") + sleep).status, 400) << sleep;
}

TEST_F(Serving, sleeping_request_does_not_delay_others) {
    const Daemon daemon(directory_, with_options({}));
    std::vector<RawClient> slow;
    for (int i = 0; i < 40; ++i) {
        slow.emplace_back(daemon.address(), timeout);
        slow.back().send("GET /hello?sleep=60s HTTP/1.1\r\nHost: test\r\n\r\n");
    }
    EXPECT_TRUE(daemon.wait_for_connections(slow.size()));
    for (int i = 0; i < 20; ++i) EXPECT_EQ(daemon.ask().status, 200);
    for (const auto& client : slow) EXPECT_TRUE(client.is_quiet());
}

TEST_F(Serving, files_below_the_root_are_served) {
    const auto root = directory_ / "www";
    fs::create_directory(root);
    install_text("<p>hello</p>\n", fs::perms::owner_read, root / "page.html");
    install_text("secret\n", fs::perms::owner_read, directory_ / "secret.txt");
    Daemon daemon(directory_, with_options({"--root", root}));
    for (std::uint64_t generation = 1; generation <= 2; ++generation) {
        RawClient client(daemon.address(), timeout);
        const auto page = client.get("/page.html");
        EXPECT_EQ(page.status, 200);
        EXPECT_EQ(page.body, "<p>hello</p>\n");
        EXPECT_EQ(page.header("Content-Type"), "text/html; charset=utf-8");
        EXPECT_EQ(client.get("/missing.html").status, 404);
        EXPECT_EQ(client.get("/../secret.txt").status, 404);
        EXPECT_EQ(client.get("/%2e%2e/secret.txt").status, 404);
        EXPECT_EQ(daemon.ask().generation, generation);
        if (generation == 1) {
            EXPECT_EQ(daemon.reload().status, 0);
        }
    }
}

TEST_F(Serving, there_are_no_files_without_a_root) {
    const Daemon daemon(directory_, with_options({}));
    EXPECT_EQ(daemon.ask("/").status, 404);
    EXPECT_EQ(daemon.ask("/handoverd").status, 404);
}

TEST_F(Serving, works_on_IPv4) {
    expect_to_serve_on("127.0.0.1:0");
}

TEST_F(Serving, works_on_IPv6) {
    expect_to_serve_on("[::1]:0");
}

TEST_F(Serving, works_on_a_unix_path) {
    expect_to_serve_on("unix:" + (directory_ / "http.sock").string());
}

TEST_F(Serving, works_on_an_abstract_unix_name) {
    expect_to_serve_on("unix:@handover-test-http-" + std::to_string(::getpid()));
}

TEST_F(Serving, answers_IPv4_on_the_IPv6_wildcard) {
    auto start = with_options({});
    start.listen = {":0"};
    const Daemon daemon(directory_, start);
    const auto port = std::to_string(daemon.address().port());
    EXPECT_EQ(daemon.address().to_string(), "[::]:" + port);
    for (const auto* host : {"127.0.0.1:", "[::1]:"}) {
        RawClient client(Endpoint::parse(host + port), timeout);
        EXPECT_EQ(answer_in(client.get("/hello")).pid, daemon.pid()) << host;
    }
}

TEST_F(Serving, idle_connection_is_closed_after_the_idle_timeout) {
    const Daemon daemon(directory_, with_options({"--idle-timeout", "300ms"}));
    RawClient client(daemon.address(), timeout);
    EXPECT_EQ(client.get("/hello").status, 200);
    EXPECT_TRUE(client.closed_by_server());
}

}  // namespace
}  // namespace handover::test
