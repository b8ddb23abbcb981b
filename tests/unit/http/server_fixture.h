// SPDX-License-Identifier: MIT
#pragma once

#include "http/server.h"
#include "support/processes.h"
#include "support/raw_client.h"

#include <gtest/gtest.h>

#include <sys/socket.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <iterator>
#include <latch>
#include <string>
#include <utility>

namespace handover::http {

using test::eventually;
using test::RawClient;
using test::RawResponse;

/// A listener on `endpoint`, with the queue of a real one.
inline Listener listen_on(const std::string& endpoint) {
    const auto wanted = Endpoint::parse(endpoint);
    UniqueFd fd(::socket(wanted.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    EXPECT_EQ(::bind(fd.get(), wanted.address(), wanted.address_length()), 0);
    EXPECT_EQ(::listen(fd.get(), 4096), 0);
    auto bound = Endpoint::of_socket(fd.get());
    return {"http", bound.value(), std::move(fd), false};
}

inline std::size_t count_entries(const char* directory) {
    const std::filesystem::directory_iterator entries(directory);
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

inline std::size_t thread_count() {
    return count_entries("/proc/self/task");
}

/// A server with the routes the tests need, on 127.0.0.1 and a port of the kernel's choice.
class TestServer {
  public:
    explicit TestServer(ServerOptions options = {}, const std::string& endpoint = "127.0.0.1:0")
        : listener_(listen_on(endpoint)), server_(std::move(options)) {
        server_.Get("/hello", [](const httplib::Request&, httplib::Response& response) {
            response.set_content("Hello\n", "text/plain");
        });
        server_.Get("/block", [this](const httplib::Request&, httplib::Response& response) {
            ++blocked_;
            released_.wait();
            response.set_content("Released\n", "text/plain");
        });
        server_.Post("/echo", [](const httplib::Request& request, httplib::Response& response) {
            response.set_content(request.body, "application/octet-stream");
        });
    }
    ~TestServer() { release(); }

    void start() { server_.start_accepting({&listener_}); }
    [[nodiscard]] RawClient connect(std::chrono::milliseconds timeout = test::timeout) const {
        return RawClient(listener_.endpoint, timeout);
    }
    /// A request that stays in its handler until release().
    [[nodiscard]] RawClient connect_and_block() {
        const std::size_t before = blocked_;
        auto client = connect();
        client.send("GET /block HTTP/1.1\r\nHost: test\r\n\r\n");
        EXPECT_TRUE(eventually([&] { return blocked_ > before; }));
        return client;
    }
    void release() {
        if (!std::exchange(is_released_, true)) released_.count_down();
    }
    [[nodiscard]] std::size_t blocked() const { return blocked_; }

    /// Stops accepting and drains; the future is ready when `drained` has been called.
    [[nodiscard]] std::future<void> drain(std::chrono::milliseconds idle_grace) {
        auto promise = std::make_shared<std::promise<void>>();
        server_.stop_accepting();
        server_.drain({idle_grace}, [promise] { promise->set_value(); });  // twice would throw
        return promise->get_future();
    }

    Server& operator*() { return server_; }
    Server* operator->() { return &server_; }
    [[nodiscard]] const Listener& listener() const { return listener_; }

  private:
    Listener listener_;
    std::atomic<std::size_t> blocked_{0};
    std::latch released_{1};
    bool is_released_ = false;
    Server server_;
};

inline bool is_ready(const std::future<void>& future,
                     std::chrono::milliseconds timeout = test::timeout) {
    return future.wait_for(timeout) == std::future_status::ready;
}

}  // namespace handover::http
