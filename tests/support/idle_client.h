// SPDX-License-Identifier: MIT
#pragma once

#include "handover/endpoint.h"
#include "handover/unique_fd.h"
#include "support/load_report.h"
#include "support/request_text.h"
#include "support/response_reader.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace handover::test {

struct IdleOptions {
    Endpoint target = Endpoint::parse("127.0.0.1:9999");
    RequestOptions request = {};
    std::size_t connections = 8;
    bool first_request = true;  ///< one on each connection before it stands idle
    std::chrono::milliseconds timeout = std::chrono::seconds(30);  ///< of one request
};

/// Many keep-alive connections that stand idle until they are told to ask.
///
/// Nothing is retried and no connection is ever opened again: what became of the connections that
/// were open is the question. One thread, one epoll. A function's report counts from the end of the
/// function before it, so closes of idle connections are in the next report. Failures of this
/// client itself (no descriptors left) throw std::system_error. Not thread-safe.
class IdleClient {
  public:
    explicit IdleClient(IdleOptions options);

    /// Connects all and sends the first requests. Call it once.
    LoadReport open();
    /// One request on each connection that is still open, all at once; waits for the answers.
    LoadReport ask();
    /// How many are open, as far as the kernel knows by now.
    [[nodiscard]] std::size_t count();

    /// Readable when something has happened on an idle connection: call count() then.
    [[nodiscard]] int fd() const noexcept { return epoll_.get(); }

  private:
    using Clock = std::chrono::steady_clock;
    enum class State { absent, connecting, idle, waiting };

    struct Connection {
        State state = State::absent;
        UniqueFd fd;
        ResponseReader response;
        std::size_t sent = 0;  // bytes of the request
        Clock::time_point started{};
    };

    LoadReport for_each(std::size_t at_most, const std::function<void(Connection&)>& start);
    void connect(Connection& connection);
    void start_request(Connection& connection);
    void handle(Connection& connection);
    void finish_connect(Connection& connection);
    void send_request(Connection& connection);
    void read_response(Connection& connection);
    void read_idle(Connection& connection);
    void finish_answered(Connection& connection);
    void finish_ended(Connection& connection, int error);
    void finish(Connection& connection, Outcome outcome, const std::string& detail);
    void expire();
    void handle_events(std::chrono::milliseconds at_most);
    void begin(Connection& connection, State state);
    void rest(Connection& connection);
    void close(Connection& connection);
    void note(std::string_view kind, const std::string& detail);

    IdleOptions options_;
    std::string request_;
    UniqueFd epoll_;
    std::vector<Connection> connections_;
    std::size_t busy_ = 0;  // connecting or waiting
    std::size_t open_ = 0;  // idle or waiting
    Clock::time_point report_began_ = Clock::now();
    LoadReport report_;
    std::vector<std::uint32_t> latencies_us_;
};

}  // namespace handover::test
