// SPDX-License-Identifier: MIT
// What accept(2) can fail with, most of which no test can bring about: so accept4() is ours here.
#include "unit/http/server_fixture.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

namespace {

std::atomic<int> injected_error{0};
std::atomic<int> injections_left{0};
std::atomic<int> accept_calls{0};

/// Takes one of the injections that are left, if there is one.
bool take_injection() {
    int left = injections_left;
    while (left > 0)
        if (injections_left.compare_exchange_weak(left, left - 1)) return true;
    return false;
}

}  // namespace

/// In place of the C library's for all of this program.
extern "C" int accept4(int fd, sockaddr* address, socklen_t* length, int flags) {
    ++accept_calls;
    if (take_injection()) {
        errno = injected_error;
        return -1;
    }
    return static_cast<int>(::syscall(SYS_accept4, fd, address, length, flags));
}

namespace handover::http {
namespace {

using std::chrono::milliseconds;

/// The next `count` calls of accept4() fail like this; none after the object is gone.
class AcceptError {
  public:
    AcceptError(int error, int count) {
        injected_error = error;
        injections_left = count;
        accept_calls = 0;
    }
    ~AcceptError() { injections_left = 0; }
    AcceptError(const AcceptError&) = delete;
    AcceptError& operator=(const AcceptError&) = delete;
};

constexpr int for_ever = 1'000'000'000;

TEST(AcceptErrors, of_one_connection_do_not_delay_the_next) {
    std::atomic<int> told = 0;
    ServerOptions options;
    options.on_error = [&](const std::string&) { ++told; };
    TestServer server(options);
    server.start();
    // accept(2), "Error handling": these are the new connection's own.
    for (const int error : {ECONNABORTED, EPROTO, EINTR, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET,
                            EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH, EPERM, ETIMEDOUT}) {
        const AcceptError injection(error, 10);
        EXPECT_EQ(server.connect().get("/hello").status, 200) << std::strerror(error);
        EXPECT_EQ(injections_left, 0) << std::strerror(error);
    }
    EXPECT_EQ(told, 0) << "it is nobody's fault here";
}

TEST(AcceptErrors, of_the_whole_system_pause_it_and_it_resumes) {
    for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
        std::atomic<int> told = 0;
        ServerOptions options;
        options.on_error = [&](const std::string&) { ++told; };
        TestServer server(options);
        server.start();
        auto before = server.connect();
        EXPECT_EQ(before.get("/hello").status, 200);
        auto waiting = [&] {
            const AcceptError injection(error, for_ever);
            auto client = server.connect();
            client.send("GET /hello HTTP/1.1\r\n\r\n");
            // Five tries, at 100 ms each: nothing but time tells that there are no more.
            const auto begun = Clock::now();
            EXPECT_TRUE(eventually([&] { return accept_calls >= 5; })) << std::strerror(error);
            EXPECT_GT(Clock::now() - begun, milliseconds(300)) << "it spins";
            EXPECT_TRUE(client.is_quiet());
            EXPECT_EQ(before.get("/hello").status, 200) << "who is in is served";
            return client;
        }();
        EXPECT_EQ(waiting.receive().status, 200) << std::strerror(error);
        EXPECT_EQ(told, 1) << "once, not at each try";
    }
}

TEST(AcceptErrors, come_not_from_clients_that_reset_while_they_are_queued) {
    TestServer server;
    server.start();
    server->stop_accepting();
    for (int i = 0; i < 100; ++i) server.connect().reset();
    auto alive = server.connect();
    server.start();
    EXPECT_EQ(alive.get("/hello").status, 200);
    EXPECT_TRUE(eventually([&] { return server->open_connections() == 1; }));
}

}  // namespace
}  // namespace handover::http
