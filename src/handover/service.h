// SPDX-License-Identifier: MIT
#pragma once

#include "handover/connection_counts.h"
#include "handover/listener.h"
#include "handover/parked_connection.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace handover {

/// What a generation runs: anything that accepts from listeners and can finish what it began.
///
/// Generation calls these functions on the thread that is in Generation::run(), one at a time.
/// None may block. An implementation may have as many threads of its own as it likes.
class Service {
  public:
    virtual ~Service() = default;

    /// Accept on these listeners, from now on. The descriptors are borrowed: non-blocking, shared
    /// with other processes (another process may win the race for a connection: EAGAIN is normal),
    /// and open until stop_accepting() has returned. Called again after stop_accepting() and
    /// drain() when a successor died and the listeners come back: what is not closed or given away
    /// yet stays. Connections from one that is Listener::detached should end with their first
    /// response.
    virtual void start_accepting(const std::vector<const Listener*>& listeners) = 0;

    /// Accept nothing more: when this returns, no accept() is under way and none will follow, and
    /// the descriptors are in no epoll set of the service's (their twins elsewhere would keep a
    /// registration alive). Connections already accepted go on. Harmless when not accepting.
    virtual void stop_accepting() = 0;

    /// Accept, once, what waits in the queue of the listeners of start_accepting(), then stop. For
    /// a stop: whoever got into the queue before it is still served.
    virtual void accept_queued_and_stop() = 0;

    /// Goes on with a connection of an earlier generation, as if it had been accepted here. Called
    /// after start_accepting(), also later, while others drain. A service that never gives one away
    /// never gets one, but for a later version of the program that did. Counts as opened.
    virtual void adopt(ParkedConnection connection) { close_politely(std::move(connection)); }

    struct Drain {
        /// An idle connection is kept this long, so that a request already on its way is still
        /// answered; then it is closed, unless bytes of a request are waiting in it.
        std::chrono::milliseconds idle_grace{0};
        /// If set, connections are not closed but given away: those that are idle at once, the
        /// others after the response they wait for, which must not announce a close. Each leaves
        /// every epoll set first. May be called from any thread, also before drain() returns; not
        /// after another drain() has returned. A service that cannot do that ignores it.
        std::function<void(ParkedConnection)> give = nullptr;
    };
    /// Finish the requests in flight, let idle connections go, and call `drained` once, from any
    /// thread, when no connection is left. Called after stop_accepting(). A second call replaces
    /// all that the first one said.
    virtual void drain(const Drain& how, std::function<void()> drained) = 0;

    /// The deadline has passed: close every connection that is left, now, and say how many. Threads
    /// in a request handler cannot be stopped; the process exits under them.
    virtual std::size_t close_remaining() = 0;

    /// Has it been able to begin something new at any moment of this time? False when everything it
    /// has for that, all of its threads for example, has been stuck for longer: nobody is served
    /// then, though the process lives. Asked for the service manager's watchdog; must not block.
    [[nodiscard]] virtual bool is_responsive(std::chrono::milliseconds within) const {
        (void)within;
        return true;
    }

    /// How many connections there have been and what became of them. Thread-safe.
    [[nodiscard]] virtual ConnectionCounts counts() const = 0;
};

}  // namespace handover
