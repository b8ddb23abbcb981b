// SPDX-License-Identifier: MIT
#pragma once

#include "handover/endpoint.h"
#include "handover/unique_fd.h"

#include <gtest/gtest.h>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace handover::test {

inline const std::string hello =
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nHandover-Generation: 3\r\nHandover-Pid: "
    "77\r\n\r\nhello";
inline const std::string hello_and_close =
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";

inline UniqueFd bound_socket(const Endpoint& endpoint) {
    UniqueFd fd(::socket(endpoint.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(fd.get(), endpoint.address(), endpoint.address_length()), 0);
    return fd;
}

/// Reads to the end of a request head; false when the client has closed.
inline bool read_request(int fd) {
    std::string text;
    std::array<char, 4096> buffer{};
    while (text.find("\r\n\r\n") == std::string::npos) {
        const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), 0);
        if (count <= 0) return false;
        text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return true;
}

inline void send_text(int fd, const std::string& text, int flags = 0) {
    ::send(fd, text.data(), text.size(), MSG_NOSIGNAL | flags);
}

inline void close_with_reset(UniqueFd fd) {
    const linger now{1, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

inline void answer_all(UniqueFd fd) {
    while (read_request(fd.get())) send_text(fd.get(), hello);
}

/// Gives each accepted connection to `script`, in a thread of its own.
class TinyServer {
  public:
    using Script = std::function<void(UniqueFd connection)>;

    explicit TinyServer(Script script, const Endpoint& where = Endpoint::parse("127.0.0.1:0"))
        : listener_(bound_socket(where)), stop_(::eventfd(0, EFD_CLOEXEC)) {
        ::listen(listener_.get(), 128);
        accepting_ = std::thread([this, script = std::move(script)] { accept_all(script); });
    }
    ~TinyServer() {
        ::eventfd_write(stop_.get(), 1);
        accepting_.join();
        for (auto& thread : threads_) thread.join();
    }
    TinyServer(const TinyServer&) = delete;
    TinyServer& operator=(const TinyServer&) = delete;

    Endpoint endpoint() const { return *Endpoint::of_socket(listener_.get()); }

  private:
    void accept_all(const Script& script) {
        std::array<pollfd, 2> events{{{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
        while (::poll(events.data(), events.size(), -1) > 0 && events[1].revents == 0) {
            UniqueFd accepted(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            threads_.emplace_back([script, held = std::make_shared<UniqueFd>(std::move(accepted))] {
                script(std::move(*held));
            });
        }
    }

    UniqueFd listener_;
    UniqueFd stop_;
    std::thread accepting_;
    std::vector<std::thread> threads_;
};

}  // namespace handover::test
