// SPDX-License-Identifier: MIT
#pragma once

#include "handover/endpoint.h"
#include "handover/unique_fd.h"
#include "support/load_recorder.h"
#include "support/request_text.h"
#include "support/response_reader.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace handover::test {

/// What the counting clients have in common.
struct ClientOptions {
    Endpoint target = Endpoint::parse("127.0.0.1:9999");
    RequestOptions request = {};
    std::size_t connections = 8;                                   ///< at the same time
    std::chrono::milliseconds timeout = std::chrono::seconds(30);  ///< of one request
};

/// The connections of a counting client: each has at most one request outstanding, each request
/// ends with exactly one Outcome, and nothing is ever retried.
///
/// When requests begin and on which connection is for the owner to say; what became of them is in
/// the recorder. One epoll, edge-triggered. Failures of the client itself (no descriptors left)
/// throw std::system_error. Not thread-safe.
class ClientConnections {
  public:
    using Clock = std::chrono::steady_clock;
    enum class State { absent, connecting, idle, waiting };

    struct Connection {
        State state = State::absent;
        UniqueFd fd;
        ResponseReader response;
        std::size_t sent = 0;         ///< bytes of the request
        Clock::time_point due{};      ///< latency counts from then
        Clock::time_point started{};  ///< the timeout counts from then
        std::int64_t requests = 0;    ///< that ended on this connection
        bool opened_before = false;   ///< it is in place of one that ended
    };

    struct Mode {
        bool keep_alive = true;
        bool request_on_connect = true;  ///< otherwise a new connection stands idle
        /// A unix socket whose backlog is full says EAGAIN, and nothing tells when to try again:
        /// there connect(2) waits, at most for the timeout. Otherwise the request has failed.
        bool wait_for_backlog = false;
    };

    struct Callbacks {
        std::function<void()> on_sent;  ///< a whole request has been given to the kernel
        /// A request has ended. Its connection is idle or absent by now.
        std::function<void(const Connection&, Outcome)> on_finished;
    };

    ClientConnections(ClientOptions options, Mode mode, Callbacks callbacks);

    [[nodiscard]] std::size_t size() const noexcept { return connections_.size(); }
    [[nodiscard]] const Connection& operator[](std::size_t index) const {
        return connections_[index];
    }
    [[nodiscard]] std::size_t index_of(const Connection& connection) const {
        return static_cast<std::size_t>(&connection - connections_.data());
    }
    /// Connecting or waiting for an answer.
    [[nodiscard]] std::size_t busy() const noexcept { return busy_; }
    /// Idle or waiting for an answer, as far as events have been handled.
    [[nodiscard]] std::size_t open() const noexcept { return open_; }

    /// On an idle connection: sends a request. On an absent one: connects, and sends a request
    /// unless the mode says otherwise. Latency counts from `due`.
    void start(std::size_t index, Clock::time_point due = Clock::now());
    /// `callback` runs whenever `fd` (borrowed) is readable; false from it ends the watch.
    void watch(int fd, std::function<bool()> callback);
    /// Takes a batch of events; waits for the first at most so long. False: there were no more.
    bool handle_events(Clock::duration at_most);
    /// Ends the requests that have taken longer than their timeout, or `all`. Does so every 50 ms.
    void expire(bool all = false);

    /// Readable when handle_events() has something to do.
    [[nodiscard]] int fd() const noexcept { return epoll_.get(); }
    [[nodiscard]] LoadRecorder& recorder() noexcept { return recorder_; }
    [[nodiscard]] const LoadRecorder& recorder() const noexcept { return recorder_; }

    static constexpr auto expire_every = std::chrono::milliseconds(50);

  private:
    void connect(Connection& connection);
    [[nodiscard]] UniqueFd make_socket() const;
    void handle(Connection& connection);
    void handle_watch(std::size_t number);
    void finish_connect(Connection& connection);
    void send_request(Connection& connection);
    void read_response(Connection& connection);
    void read_idle(Connection& connection);
    void finish_complete(Connection& connection);
    void finish_ended(Connection& connection, int error);
    void finish_unconnected(Connection& connection, int error);
    void finish(Connection& connection, Outcome outcome, const std::string& detail = "");
    void record(const Connection& connection, Outcome outcome, const std::string& detail);
    void set_state(Connection& connection, State state);

    ClientOptions options_;
    Mode mode_;
    Callbacks callbacks_;
    std::string request_;
    UniqueFd epoll_;
    std::vector<Connection> connections_;
    std::vector<std::function<bool()>> watches_;
    std::vector<int> watched_;
    std::size_t busy_ = 0;
    std::size_t open_ = 0;
    Clock::time_point last_expire_{};
    LoadRecorder recorder_;
};

}  // namespace handover::test
