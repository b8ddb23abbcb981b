// SPDX-License-Identifier: MIT
#pragma once

#include "handover/unique_fd.h"
#include "support/listening.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace handover::test {

/// Whatever a test wants somebody at an admin address to say: to each question the same, on a
/// connection of its own and under the same status; and to /events, if there are any, a stream that
/// goes on.
class ScriptedAdmin {
  public:
    enum class Events { none, stream };
    ScriptedAdmin(const std::string& address, std::string body, Events events,
                  std::string status = "200 OK")
        : listening_(address),
          status_(std::move(status)),
          body_(std::move(body)),
          events_(events),
          ending_(::eventfd(0, EFD_CLOEXEC)),
          thread_([this] { serve(); }) {}
    ~ScriptedAdmin() {
        (void)::eventfd_write(ending_.get(), 1);
        thread_.join();
    }
    ScriptedAdmin(const ScriptedAdmin&) = delete;
    ScriptedAdmin& operator=(const ScriptedAdmin&) = delete;

    [[nodiscard]] std::string address() const { return listening_.endpoint().to_string(); }

    /// From now on.
    void say(std::string body) {
        const std::lock_guard lock(mutex_);
        body_ = std::move(body);
        for (const auto& stream : streams_) send(stream, event());
    }
    void end_streams() {
        const std::lock_guard lock(mutex_);
        streams_.clear();
    }
    /// How many questions there were, of any kind.
    [[nodiscard]] std::vector<std::string> questions() const {
        const std::lock_guard lock(mutex_);
        return questions_;
    }

  private:
    void serve() {
        std::array<pollfd, 2> either{pollfd{listening_.fd(), POLLIN, 0},
                                     pollfd{ending_.get(), POLLIN, 0}};
        while (::poll(either.data(), either.size(), -1) > 0 && either[1].revents == 0)
            answer(UniqueFd(::accept4(listening_.fd(), nullptr, nullptr, SOCK_CLOEXEC)));
    }

    void answer(UniqueFd connection) {
        std::array<char, 4096> request{};
        const auto count = ::recv(connection.get(), request.data(), request.size(), 0);
        const std::string head(request.data(),
                               static_cast<std::size_t>(std::max(count, ssize_t{0})));
        const std::lock_guard lock(mutex_);
        questions_.push_back(head.substr(0, head.find(" HTTP")));
        const bool for_events = questions_.back() == "GET /events";
        if (for_events && events_ == Events::stream) {
            send(connection,
                 "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                 "Connection: close\r\n\r\n" +
                     event());
            streams_.push_back(std::move(connection));
            return;
        }
        send(connection, "HTTP/1.1 " + (for_events ? "404 Not Found" : status_) +
                             "\r\nContent-Type: application/json\r\nContent-Length: " +
                             std::to_string(body_.size()) + "\r\nConnection: close\r\n\r\n" +
                             body_);
        ::shutdown(connection.get(), SHUT_WR);
        while (::recv(connection.get(), request.data(), request.size(), 0) > 0) continue;
    }

    [[nodiscard]] std::string event() const { return "event: status\ndata: " + body_ + "\n\n"; }
    static void send(const UniqueFd& connection, std::string_view text) {
        (void)::send(connection.get(), text.data(), text.size(), MSG_NOSIGNAL);
    }

    ListeningSocket listening_;
    const std::string status_;
    mutable std::mutex mutex_;  ///< guards the four below
    std::string body_;
    const Events events_;
    std::vector<UniqueFd> streams_;
    std::vector<std::string> questions_;
    UniqueFd ending_;
    std::thread thread_;
};

}  // namespace handover::test
