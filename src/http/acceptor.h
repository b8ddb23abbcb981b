// SPDX-License-Identifier: MIT
#pragma once

#include "handover/listener.h"
#include "http/connection_table.h"

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace handover::http {

/// Takes connections from listeners that other processes may be accepting from as well.
///
/// Never calls shutdown() or close() on a listener and never changes its file status flags.
/// Running out of descriptors or memory makes it pause, so that it neither spins nor gives up.
///
/// Thread-safe: one lock, held while a batch is accepted, which is what lets stop() promise that
/// nothing is being accepted when it returns.
class Acceptor {
  public:
    using ErrorCallback = std::function<void(const std::string&)>;
    using AcceptFilter = std::function<bool(int connection)>;
    Acceptor(int epoll, ConnectionTable& table, AcceptFilter admits, ErrorCallback on_error)
        : epoll_(epoll),
          table_(table),
          admits_(std::move(admits)),
          on_error_(std::move(on_error)) {}

    /// Replaces the listeners; the descriptors are borrowed until stop() returns.
    void start(const std::vector<const Listener*>& listeners);
    void stop();
    /// Accepts what waits in the queues at this moment, then stops.
    void accept_queued_and_stop();

    /// Of the listener whose number epoll reported as its event data: accept a batch.
    void accept_from(std::uint64_t event_data);
    /// The same is reported anew: whoever took the event has no time for it.
    void report_again(std::uint64_t event_data);
    /// Tries again where accepting had to pause. True if any still pauses.
    bool resume(Clock::time_point now);
    /// The names of listeners as numbers that stay: connections keep them.
    [[nodiscard]] std::uint16_t number_of(const std::string& listener);
    [[nodiscard]] std::string name_of(std::uint16_t number);

    [[nodiscard]] bool paused() const { return paused_.load() > 0; }

  private:
    struct ListenSocket {
        int fd = -1;
        std::uint16_t name = 0;
        bool tcp = false;
        bool detached = false;
        bool in_trouble = false;  ///< told on_error already
        Clock::time_point resume_at = Clock::time_point::max();
    };
    enum class Outcome { accepted, queue_empty, transient, out_of_resources, dead };
    Outcome accept_one(ListenSocket& door);
    void report(ListenSocket& door, int error);
    void arm(std::size_t number, int operation);
    void pause(ListenSocket& door);
    void stop_locked();
    std::uint16_t name_index(const std::string& name);

    int epoll_;
    ConnectionTable& table_;
    const AcceptFilter admits_;
    ErrorCallback on_error_;
    std::mutex mutex_;
    std::vector<ListenSocket> sockets_;
    std::vector<std::string> names_;  ///< only grows: connections refer to it
    std::atomic<std::size_t> paused_{0};
};

}  // namespace handover::http
