// SPDX-License-Identifier: MIT
#pragma once

#include "support/client_connections.h"
#include "support/load_report.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <utility>

namespace handover::test {

struct LoadOptions : ClientOptions {
    bool keep_alive = false;  ///< otherwise a connection per request, with Connection: close
    double rate = 0;          ///< requests per second; 0: as fast as the answers come

    // The bounds, with the timeout of a request. None of them is ever without a value.
    std::int64_t max_requests = 10'000'000;
    std::chrono::milliseconds duration = std::chrono::minutes(10);
    std::chrono::milliseconds drain = std::chrono::seconds(70);  ///< for the last answers
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
    void watch(int fd, std::function<bool()> callback) {
        connections_.watch(fd, std::move(callback));
    }

    /// Sends until stop() or a bound, then waits for what is outstanding. Call it once.
    void run();
    /// No request is sent after this. For callbacks.
    void stop();

    [[nodiscard]] LoadReport report() const { return connections_.recorder().report(); }
    /// What can be told cheaply at any time: outcomes and connections. For callbacks.
    [[nodiscard]] LoadReport counts() const { return connections_.recorder().counts(); }

  private:
    using Clock = ClientConnections::Clock;

    void start_due_requests();
    void sent();
    void finished(const ClientConnections::Connection& connection, Outcome outcome);
    [[nodiscard]] Clock::time_point next_due() const;
    [[nodiscard]] Clock::duration until_next_due() const;

    LoadOptions options_;
    ClientConnections connections_;
    std::deque<std::size_t> free_;  // indexes of connections without a request
    std::function<void()> on_answer_;
    std::function<void()> on_all_sent_;

    Clock::time_point start_{};
    Clock::time_point paused_until_{};
    std::optional<Clock::time_point> stopped_;
    std::int64_t begun_ = 0;
    std::int64_t sent_ = 0;
};

}  // namespace handover::test
