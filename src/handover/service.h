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
/// A Generation calls these functions on the thread that is in Generation::run(), one at a time;
/// counts() is called from any thread, at any time. None may block. An implementation may have as
/// many threads of its own as it likes. It may throw Error from start_accepting() only: that ends
/// Generation::run(), which throws it on.
class Service {
  public:
    virtual ~Service() = default;

    /// Accept on these listeners, from now on. Both the objects and their descriptors are borrowed
    /// until stop_accepting() or accept_queued_and_stop() has returned, or this is called again.
    /// The descriptors are non-blocking and shared with other processes, one of which may win the
    /// race for a connection: EAGAIN is normal (accept(2)).
    ///
    /// Called again after stop_accepting() and drain() if a successor died and the listeners come
    /// back, or to serve on without any: the list may be empty. Connections that are neither closed
    /// nor given away yet are served on then, and what drain() has said is void. A connection from
    /// a listener that is Listener::detached should end with its first response. May throw Error
    /// (os).
    virtual void start_accepting(const std::vector<const Listener*>& listeners) = 0;

    /// Accept nothing more: when this returns, no accept() is under way and none will follow, and
    /// the listeners' descriptors are in no epoll set of the service's (in another process they
    /// stay open, and would keep the registration alive: epoll(7)). Connections that have been
    /// accepted go on. Has no effect while nothing is accepted.
    virtual void stop_accepting() = 0;

    /// Accept, once, what waits in the queues of the listeners that start_accepting() has lent,
    /// then do as stop_accepting() does. For a stop: whoever got into a queue before it is still
    /// served.
    virtual void accept_queued_and_stop() = 0;

    /// Go on with a connection of an earlier generation, as if it had been accepted here. It is
    /// adopted, descriptor and all, and counts as opened. Called after start_accepting(), and also
    /// while this generation drains. A service that never gives a connection away gets one only if
    /// another release of its program did; without an implementation it is closed politely.
    virtual void adopt(ParkedConnection connection) { close_politely(std::move(connection)); }

    /// How drain() is to get rid of connections.
    struct Drain {
        /// An idle connection that is not given away is kept open this long, so that a request
        /// that is on its way is still answered; then it is closed, unless bytes of a request are
        /// waiting in it.
        std::chrono::milliseconds idle_grace{0};
        /// If set, connections are not closed but passed to this function, which adopts them: those
        /// that are idle at once, the others after the response they wait for, which must not
        /// announce a close. Each leaves every epoll set first, and counts as
        /// CloseReason::moved. Thread-safe; also called before drain() has returned, but not after
        /// another drain() or start_accepting() has. A service that cannot give connections away
        /// ignores it.
        std::function<void(ParkedConnection)> give = nullptr;
    };
    /// Finish the requests in flight, let idle connections go as `how` says, and call `drained`
    /// once, from any thread, when no connection is left; perhaps before this returns. Called after
    /// stop_accepting() or accept_queued_and_stop(). Another call replaces all that this one said:
    /// its `drained` is not called any more then.
    virtual void drain(const Drain& how, std::function<void()> drained) = 0;

    /// The drain timeout is over: close every connection that is left, now, as
    /// CloseReason::cut_at_deadline, and return how many that were. Threads in a request handler
    /// cannot be stopped; the process ends under them.
    virtual std::size_t close_remaining() = 0;

    /// Has the service been able to begin something new at any moment of the time that has passed
    /// last, as long as `within`? False when everything it has for that, all of its threads for
    /// example, has been stuck for longer: nobody is served then, though the process lives. Asked
    /// for the service manager's watchdog (sd_watchdog_enabled(3)), and by a predecessor before the
    /// end of a probation. Without an implementation it is true.
    [[nodiscard]] virtual bool is_responsive(std::chrono::milliseconds within) const {
        (void)within;
        return true;
    }

    /// How many connections there have been in this process, and what became of them. Called from
    /// any thread: has to be thread-safe.
    [[nodiscard]] virtual ConnectionCounts counts() const = 0;
};

}  // namespace handover
