// SPDX-License-Identifier: MIT
// From the listener's queue to a served connection, and the end of all of them.
#include "support/descriptor_limit.h"
#include "unit/http/server_fixture.h"

#include <sys/socket.h>

#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace handover::http {
namespace {

using std::chrono::milliseconds;
using test::DescriptorLimit;

TEST(Accepting, survives_a_lack_of_descriptors) {
    std::mutex mutex;
    std::vector<std::string> errors;
    ServerOptions options;
    options.on_error = [&](const std::string& what) {
        const std::lock_guard lock(mutex);
        errors.push_back(what);
    };
    TestServer server(options);
    server.start();
    EXPECT_EQ(server.connect().get("/hello").status, 200);
    EXPECT_TRUE(eventually([&] { return server->open_connections() == 0; }));
    auto first = server.connect();
    EXPECT_EQ(first.get("/hello").status, 200);
    std::vector<int> fillers;
    auto client = [&] {
        const DescriptorLimit limit(static_cast<rlim_t>(first.fd()) + 64);
        auto last = server.connect();
        EXPECT_EQ(last.get("/hello").status, 200);
        for (int fd = 0; (fd = ::dup(0)) >= 0;) fillers.push_back(fd);
        ::close(fillers.back());
        fillers.pop_back();
        auto refused = server.connect();  // takes the last descriptor
        refused.send("GET /hello HTTP/1.1\r\n\r\n");
        EXPECT_TRUE(eventually([&] {
            const std::lock_guard lock(mutex);
            return !errors.empty();
        }));
        EXPECT_EQ(last.get("/hello").status, 200) << "who is in is served";
        EXPECT_TRUE(refused.is_quiet());
        return refused;
    }();
    for (const int fd : fillers) ::close(fd);
    EXPECT_EQ(client.receive().status, 200);
    const std::lock_guard lock(mutex);
    EXPECT_EQ(errors.size(), 1U) << "once, not every 100 ms";
    EXPECT_NE(errors[0].find("'http': Too many open files"), std::string::npos) << errors[0];
}

TEST(Accepting, says_when_a_listener_has_been_shut_down) {
    std::promise<std::string> error;
    ServerOptions options;
    options.on_error = [&](const std::string& what) { error.set_value(what); };
    TestServer server(options);
    server.start();
    EXPECT_EQ(server.connect().get("/hello").status, 200);
    ::shutdown(server.listener().fd.get(), SHUT_RDWR);
    EXPECT_NE(error.get_future().get().find("Invalid argument"), std::string::npos);
}

TEST(Accepting, can_be_stopped_and_started_again) {
    TestServer server;
    server.start();
    auto before = server.connect();
    EXPECT_EQ(before.get("/hello").status, 200);
    server->stop_accepting();
    server->stop_accepting();
    auto queued = server.connect();
    queued.send("GET /hello HTTP/1.1\r\n\r\n");
    EXPECT_EQ(before.get("/hello").status, 200) << "who is in is served";
    EXPECT_TRUE(queued.is_quiet());
    EXPECT_EQ(server->open_connections(), 1U);
    server.start();
    EXPECT_EQ(queued.receive().status, 200);
}

TEST(Accepting, takes_the_queue_before_it_stops_for_good) {
    TestServer server;
    server.start();
    std::vector<RawClient> queued;
    queued.reserve(200);
    for (int i = 0; i < 200; ++i) queued.push_back(server.connect());
    server->accept_queued_and_stop();
    EXPECT_EQ(server->open_connections(), 200U);
    for (auto& client : queued) EXPECT_EQ(client.get("/hello").status, 200);
    const auto late = server.connect();
    EXPECT_EQ(queued.front().get("/hello").status, 200);
    EXPECT_EQ(server->open_connections(), 200U);
}

TEST(Accepting, of_a_listener_that_leaves_is_for_one_response) {
    TestServer server;
    Listener detached = listen_on("127.0.0.1:0");
    detached.detached = true;
    server->start_accepting({&server.listener(), &detached});
    RawClient client(detached.endpoint);
    const auto response = client.get("/hello");
    EXPECT_EQ(response.status, 200);
    EXPECT_TRUE(response.says_close());
    EXPECT_TRUE(client.closed_by_server());
    EXPECT_FALSE(server.connect().get("/hello").says_close()) << "the others stay";
    EXPECT_TRUE(eventually([&] { return server->counts()[CloseReason::drained] == 1; }));
}

TEST(Accepting, shares_a_listener_with_another_server) {
    TestServer one;
    TestServer two;
    one.start();
    two->start_accepting({&one.listener()});
    std::vector<RawClient> clients;
    for (int i = 0; i < 200; ++i) {
        clients.push_back(one.connect());
        EXPECT_EQ(clients.back().get("/hello").status, 200);
    }
    one->stop_accepting();
    EXPECT_EQ(one.connect().get("/hello").status, 200) << "by the other one";
    two->stop_accepting();
}

TEST(Accepting, of_the_queue_starts_the_time_outs) {
    ServerOptions options;
    options.idle_timeout = milliseconds(50);
    TestServer server(options);
    server.start();
    server->stop_accepting();
    auto queued = server.connect();
    server.start();
    server->accept_queued_and_stop();
    EXPECT_TRUE(queued.closed_by_server());
}

TEST(Destruction, closes_every_connection) {
    auto server = std::make_unique<TestServer>();
    server->start();
    auto idle = server->connect();
    EXPECT_EQ(idle.get("/hello").status, 200);
    auto partial = server->connect();
    partial.send("GET /hello HT");
    auto body = server->connect();
    body.send("POST /echo HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf");
    server.reset();
    EXPECT_TRUE(idle.closed_by_server());
}

}  // namespace
}  // namespace handover::http
