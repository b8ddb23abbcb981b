// SPDX-License-Identifier: MIT
#pragma once

#include "handover/service.h"
#include "handover/unique_fd.h"
#include "http/acceptor.h"
#include "http/connection_handler.h"
#include "http/connection_table.h"
#include "http/server_counters.h"
#include "http/slow_client_limit.h"
#include "http/workers.h"

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <thread>

namespace handover::http {

/// Accepts, waits, lends connections to workers, and drains: all of a server but the answers.
///
/// The workers sleep in epoll_wait() on one epoll instance; whoever is woken keeps what it was
/// woken for until it can be parked, so that no event passes through a queue or a second thread.
/// The housekeeper is one more thread, which sleeps while nothing is open: it sweeps out what has
/// waited too long and sees to it that there are workers enough.
///
/// The functions are those of handover::Service, which says what they promise.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): there is one; in order of construction
class Engine {
  public:
    /// Borrows both. Throws Error (os) if the kernel has no descriptors for it.
    Engine(const ServerOptions& options, Responder& responder);
    /// Closes every connection. Waits for requests that are being answered.
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    void start_accepting(const std::vector<const Listener*>& listeners);
    void stop_accepting() { acceptor_.stop(); }
    void accept_queued_and_stop();
    void adopt(ParkedConnection connection);
    void drain(const Service::Drain& how, std::function<void()> drained);
    std::size_t close_remaining() { return table_.cut_all(); }
    [[nodiscard]] ConnectionCounts counts() const { return table_.counts(); }
    [[nodiscard]] bool is_responsive(std::chrono::milliseconds within) {
        return !workers_.all_stuck_for(within);
    }
    [[nodiscard]] std::size_t open_connections() const { return table_.open(); }
    [[nodiscard]] ConnectionStates connection_states() { return table_.states(); }

    /// Before start_accepting().
    void count_in(const ServerCounters& counters) { counters_ = counters; }
    [[nodiscard]] const ServerCounters& counters() const { return counters_; }

    /// Half of the workers that there may be. Any thread.
    [[nodiscard]] SlowClientLimit& client_waits() { return slow_client_limit_; }

    /// Responses end their connection from now on. Any thread.
    [[nodiscard]] bool closing() const { return mode_.load() == Mode::closing; }

  private:
    /// What the housekeeper does: nothing; sweep; sweep, and watch over the workers.
    enum class MaintenanceLevel { asleep, sweeping, watching };
    /// What becomes of a connection that has nothing to do: it waits for the next request; it is
    /// given away; it is closed before long.
    enum class Mode { serving, giving, closing };

    void work(Workers::Worker& worker);
    void serve(const epoll_event& event, ReceiveBuffer& input);
    void give_back(const epoll_event& event);
    void maintain();
    void watch_workers();
    [[nodiscard]] int maintenance_timeout_ms() const;
    void raise_maintenance_level(MaintenanceLevel at_least);
    [[nodiscard]] ConnectionTable::Cutoffs cutoffs(Clock::time_point now);
    [[nodiscard]] bool give(ConnectionTable::Detached& connection);
    void tell_timeout(const ConnectionTable::TimedOut& one);
    void set_mode(Mode mode, const Service::Drain& how, std::function<void()> drained);
    void report_if_drained();

    const ServerOptions& options_;
    std::array<Counter, ServerCounters::size> own_counters_{};  ///< unless there are others
    ServerCounters counters_{own_counters_};
    UniqueFd epoll_;
    UniqueFd stop_event_;         ///< readable for ever once the workers are to return
    UniqueFd maintenance_event_;  ///< wakes the housekeeper
    ConnectionTable table_;
    Acceptor acceptor_;
    ConnectionHandler handler_;
    std::atomic<bool> stopping_{false};
    std::atomic<MaintenanceLevel> maintenance_level_{MaintenanceLevel::asleep};

    std::atomic<Mode> mode_{Mode::serving};
    std::mutex drain_mutex_;  ///< guards the next four
    Clock::time_point closing_since_;
    std::function<void(ParkedConnection)> give_;
    std::chrono::milliseconds idle_grace_{0};
    std::function<void()> drained_;

    SlowClientLimit slow_client_limit_;
    Workers workers_;
    std::thread maintenance_thread_;
};

}  // namespace handover::http
