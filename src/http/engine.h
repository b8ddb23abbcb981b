// SPDX-License-Identifier: MIT
#pragma once

#include "handover/service.h"
#include "handover/unique_fd.h"
#include "http/acceptor.h"
#include "http/client_waits.h"
#include "http/conversation.h"
#include "http/parking.h"
#include "http/server_totals.h"
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
    std::size_t close_remaining() { return parking_.cut_all(); }
    [[nodiscard]] Tally tally() const { return parking_.tally(); }
    [[nodiscard]] bool is_responsive(std::chrono::milliseconds within) {
        return !workers_.all_stuck_for(within);
    }
    [[nodiscard]] std::size_t open_connections() const { return parking_.open(); }
    [[nodiscard]] ConnectionStates connection_states() { return parking_.states(); }

    /// Before start_accepting().
    void count_in(const ServerTotals& totals) { totals_ = totals; }
    [[nodiscard]] const ServerTotals& totals() const { return totals_; }

    /// Half of the workers that there may be. Any thread.
    [[nodiscard]] ClientWaits& client_waits() { return client_waits_; }

    /// Responses end their connection from now on. Any thread.
    [[nodiscard]] bool closing() const { return mode_.load() == Mode::closing; }

  private:
    /// What the housekeeper does: nothing; sweep; sweep, and watch over the workers.
    enum class Vigilance { asleep, sweeping, watching };
    /// What becomes of a connection that has nothing to do: it waits for the next request; it is
    /// given away; it is closed before long.
    enum class Mode { serving, giving, closing };

    void work(Workers::Seat& seat);
    void serve(const epoll_event& event, ReceiveBuffer& input);
    void give_back(const epoll_event& event);
    void keep_house();
    void watch_workers();
    [[nodiscard]] int house_timeout_ms() const;
    void raise_vigilance(Vigilance at_least);
    [[nodiscard]] Parking::Cutoffs cutoffs(Clock::time_point now);
    [[nodiscard]] bool give(Parking::Departing& connection);
    void tell_timeout(const Parking::TimedOut& one);
    void set_mode(Mode mode, const Service::Drain& how, std::function<void()> drained);
    void report_if_drained();

    const ServerOptions& options_;
    std::array<Total, ServerTotals::size> own_totals_{};  ///< unless there are others
    ServerTotals totals_{own_totals_};
    UniqueFd epoll_;
    UniqueFd stop_event_;   ///< readable for ever once the workers are to return
    UniqueFd house_event_;  ///< wakes the housekeeper
    Parking parking_;
    Acceptor acceptor_;
    Conversation conversation_;
    std::atomic<bool> stopping_{false};
    std::atomic<Vigilance> vigilance_{Vigilance::asleep};

    std::atomic<Mode> mode_{Mode::serving};
    std::mutex drain_mutex_;  ///< guards the next four
    Clock::time_point closing_since_;
    std::function<void(ParkedConnection)> give_;
    std::chrono::milliseconds idle_grace_{0};
    std::function<void()> drained_;

    ClientWaits client_waits_;
    Workers workers_;
    std::thread housekeeper_;
};

}  // namespace handover::http
