// SPDX-License-Identifier: MIT
#pragma once

#include "handover/endpoint.h"
#include "handover/unique_fd.h"
#include "support/load_report.h"
#include "support/request_text.h"
#include "support/response_reader.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace handover::test {

struct LoadOptions {
    Endpoint target = Endpoint::parse("127.0.0.1:9999");
    RequestOptions request = {};
    std::size_t connections = 8;  ///< at most that many at the same time
    bool keep_alive = false;      ///< otherwise a connection per request, with Connection: close
    double rate = 0;              ///< requests per second; 0: as fast as the answers come

    // The bounds. None of them is ever without a value.
    std::int64_t max_requests = 10'000'000;
    std::chrono::milliseconds duration = std::chrono::minutes(10);
    std::chrono::milliseconds timeout = std::chrono::seconds(30);  ///< of one request
    std::chrono::milliseconds drain = std::chrono::seconds(70);    ///< for the last answers
};

/// An HTTP client that counts: each request has exactly one Outcome, and nothing is ever retried.
///
/// Well-known load generators hide what this project is about: they retry on a dead connection
/// (hey), never reconnect (h2load) or mix lost requests with closes that harm nobody (wrk). One
/// thread, one epoll. At a fixed rate requests are due at start + n / rate whether or not the
/// server keeps up, and latency counts from then: a server that stands still for a second shows it.
/// Otherwise each connection sends its next request as soon as the last one is done; after a failed
/// connect, all pause for 10 ms instead of spinning. Throws std::system_error when the client
/// itself cannot go on (no descriptors left). Not thread-safe.
class LoadClient {
  public:
    explicit LoadClient(LoadOptions options);

    /// Called for every request answered with 200.
    void on_answer(std::function<void()> callback) { on_answer_ = std::move(callback); }
    /// Called once, when the last of max_requests has been given to the kernel.
    void on_all_sent(std::function<void()> callback) { on_all_sent_ = std::move(callback); }
    /// `callback` runs whenever `fd` (borrowed) is readable; false from it ends the watch.
    void watch(int fd, std::function<bool()> callback);

    /// Sends until stop() or a bound, then waits for what is outstanding. Call it once.
    void run();
    /// No request is sent after this. For callbacks.
    void stop();

    [[nodiscard]] LoadReport report() const;
    /// What can be told cheaply at any time: outcomes and connections. For callbacks.
    [[nodiscard]] LoadReport counts() const;

  private:
    using Clock = std::chrono::steady_clock;
    enum class State { absent, connecting, idle, waiting };

    struct Connection {
        State state = State::absent;
        UniqueFd fd;
        ResponseReader response;
        std::size_t sent = 0;  // bytes of the request
        Clock::time_point due{};
        Clock::time_point started{};
        std::int64_t requests = 0;  // on this connection, with the current one
        bool opened_before = false;
    };

    void start_due_requests();
    void start_request(Connection& connection, Clock::time_point due);
    void open(Connection& connection);
    void handle(Connection& connection);
    void send_request(Connection& connection);
    void read_response(Connection& connection);
    void read_idle(Connection& connection);
    void finish_complete(Connection& connection);
    void finish_ended(Connection& connection, int error);
    void finish(Connection& connection, Outcome outcome, const std::string& detail);
    void expire();
    void wait_for_events();
    [[nodiscard]] Clock::time_point next_due() const;
    void note(std::string_view kind, const std::string& detail);

    LoadOptions options_;
    std::string request_;
    UniqueFd epoll_;
    std::vector<Connection> connections_;
    std::deque<std::size_t> free_;  // indexes of connections without a request
    std::vector<std::function<bool()>> watches_;
    std::vector<int> watched_;
    std::function<void()> on_answer_;
    std::function<void()> on_all_sent_;

    Clock::time_point start_{};
    Clock::time_point paused_until_{};
    std::optional<Clock::time_point> stopped_;
    std::optional<Clock::time_point> last_answer_;
    Clock::time_point last_expire_{};
    std::int64_t begun_ = 0;
    std::int64_t sent_ = 0;

    LoadReport report_;
    std::vector<std::uint32_t> latencies_us_;
    std::map<std::string, int, std::less<>> noted_;
};

}  // namespace handover::test
