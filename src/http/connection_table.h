// SPDX-License-Identifier: MIT
#pragma once

#include "handover/connection_counts.h"
#include "http/connection.h"
#include "http/server_counters.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

struct epoll_event;

namespace handover::http {

/// The table lot: owns every connection, and hands one to whichever worker epoll wakes for it.
///
/// Connections lie in a table indexed by descriptor. What epoll gives back is the descriptor and a
/// generation that changes when the descriptor is closed, so an event that comes too late finds
/// nothing. Each connection is, from birth to close, on one of four lists, by what it waits for;
/// as all on one list wait equally long, a list is in the order of its deadlines, and adding,
/// removing and finding the expired costs the same for 10 connections and for 15,000. Table and
/// lists are locked in stripes, so that a worker preempted inside holds up few others.
///
/// epoll is edge-triggered: a connection that is parked with nothing left to read costs no system
/// call. What comes while a worker holds it is remembered, and looked at once it is parked.
///
/// Thread-safe. Borrows the epoll descriptor.
class ConnectionTable {
  public:
    /// A connection that has left the lot, and epoll, to go on in another process.
    struct Detached {
        UniqueFd fd;
        std::uint16_t listener;
        std::string unread;
        bool close_after_response = false;  ///< see Connection
    };
    struct TimedOut {
        SocketName remote;
        std::string unread;       ///< what has come of it
        Clock::time_point since;  ///< when it began to come, or its body did
    };
    /// Called from any thread and with no lock held.
    struct Callbacks {
        std::function<void()> on_empty;  ///< the last connection went
        /// While giving. False: not any more; it has not touched the connection.
        std::function<bool(Detached&)> give;
        /// The request of this client did not become complete: it has been refused (408).
        std::function<void(const TimedOut&)> timed_out = [](const TimedOut&) {};
    };
    /// `counters` are counted in, and borrowed.
    ConnectionTable(int epoll, Callbacks callbacks, const ServerCounters& counters);
    ~ConnectionTable();
    ConnectionTable(const ConnectionTable&) = delete;
    ConnectionTable& operator=(const ConnectionTable&) = delete;

    /// Takes a new, non-blocking connection and waits for its next request. `unread` has been
    /// received already. While giving, it travels on at once. False (it is closed then, and counted
    /// as `no_room`) if the descriptor number is absurdly high or the kernel has no memory.
    bool admit(UniqueFd fd, std::uint16_t listener, const SocketName& remote,
               std::string unread = {}, bool close_after_response = false);
    /// Counts a connection that was over before it could be admitted.
    void count_stillborn(CloseReason ending);

    /// The connection epoll reported, now the caller's until park() or close(); nullptr if the
    /// event came too late, or another worker holds it.
    [[nodiscard]] Connection* claim(const epoll_event& event);
    /// The event is reported anew: whoever took it has no time for it.
    void report_again(const epoll_event& event);
    /// Gives it back. Its time begins anew, or runs on if it already waits for the same. Unless
    /// `exhausted`, it is reported again if there is something to read. While giving, it leaves
    /// instead, unless it lingers.
    enum class Time { begins, runs_on };
    void park(Connection& connection, Waiting waiting, Time time, bool exhausted);
    /// It is over, for this reason. After conclude() it can only linger.
    void conclude(Connection& connection, CloseReason ending);
    void close(Connection& connection, CloseReason ending);

    /// From now on, whatever would be parked is given away, and what is parked already as well.
    void start_giving();
    void stop_giving() { giving_ = false; }
    [[nodiscard]] const std::atomic<bool>& giving() const { return giving_; }

    /// Whoever has been waiting since these times or earlier has waited long enough.
    using Cutoffs = std::array<Clock::time_point, waiting_kinds>;
    /// Closes those, except where bytes are waiting to be read: those are reported again. One
    /// whose request did not become complete is told so (408) and lingers. `idle_ending` is what
    /// the end of an idle one counts as.
    void sweep(const Cutoffs& cutoffs, CloseReason idle_ending);

    /// Closes every parked connection, ends the others with shutdown(); returns how many of both
    /// were not over yet.
    std::size_t cut_all();

    /// Those that linger included.
    [[nodiscard]] std::size_t open() const noexcept { return open_.load(); }
    [[nodiscard]] ConnectionCounts counts() const;
    /// What they are doing at this moment.
    [[nodiscard]] ConnectionStates states();

  private:
    struct List {
        Connection* first = nullptr;
        Connection* last = nullptr;
        std::size_t size = 0;
        std::size_t claimed = 0;  ///< of them, by a worker
        void append(Connection& connection);
        void remove(Connection& connection);
    };
    struct alignas(64) Stripe {
        std::mutex mutex;
        std::array<List, waiting_kinds> lists;
    };
    static constexpr std::size_t stripe_count = 16;
    static constexpr std::size_t block_size = 1024;
    static constexpr std::size_t block_count = 4096;
    using Block = std::array<Connection, block_size>;

    static std::size_t index(Waiting waiting) { return static_cast<std::size_t>(waiting); }
    Stripe& stripe_of(int fd) { return stripes_[static_cast<std::size_t>(fd) % stripe_count]; }
    Connection* slot(int fd) noexcept;
    Connection* slot_or_new_block(int fd);
    bool arm(Connection& connection, int operation) const;
    static UniqueFd release(Stripe& stripe, Connection& connection);
    bool put_in(Detached& one, const SocketName& remote);
    Detached take_out(Stripe& stripe, Connection& connection) const;
    void give(Detached one, const SocketName& remote);
    void count_opened();
    void count(CloseReason ending);
    void count(Connection& connection, CloseReason ending);
    void gone(std::size_t count);
    [[nodiscard]] TimedOut refuse_late(Stripe& stripe, Connection& connection);
    std::size_t expire_some(Stripe& stripe, Waiting waiting, Clock::time_point cutoff,
                            CloseReason ending);

    int epoll_;
    const Callbacks callbacks_;
    const ServerCounters& counters_;
    std::atomic<bool> giving_{false};
    std::atomic<std::size_t> open_{0};
    std::atomic<std::uint64_t> opened_{0};
    std::array<std::atomic<std::uint64_t>, close_reason_count> ended_{};
    std::array<Stripe, stripe_count> stripes_;
    /// Blocks are made when first needed and stay, so that a Connection never moves.
    std::array<std::atomic<Block*>, block_count> blocks_{};
};

}  // namespace handover::http
