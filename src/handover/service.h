// SPDX-License-Identifier: MIT
#pragma once

#include "handover/listener.h"

#include <chrono>
#include <cstddef>
#include <functional>
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
    /// and open until stop_accepting() has returned. Called again after stop_accepting() when a
    /// successor died and the listeners come back.
    virtual void start_accepting(const std::vector<const Listener*>& listeners) = 0;

    /// Accept nothing more: when this returns, no accept() is under way and none will follow, and
    /// the descriptors are in no epoll set of the service's (their twins elsewhere would keep a
    /// registration alive). Connections already accepted go on. Harmless when not accepting.
    virtual void stop_accepting() = 0;

    /// Accept, once, what waits in the queue of the listeners of start_accepting(), then stop. For
    /// a stop: whoever got into the queue before it is still served.
    virtual void accept_queued_and_stop() = 0;

    struct Drain {
        /// An idle connection is kept this long, so that a request already on its way is still
        /// answered; then it is closed, unless bytes of a request are waiting in it.
        std::chrono::milliseconds idle_grace{0};
    };
    /// Finish the requests in flight, let idle connections go, and call `drained` once, from any
    /// thread, when no connection is left. Called after stop_accepting(). A second call shortens
    /// the grace of the first and replaces `drained`.
    virtual void drain(const Drain& how, std::function<void()> drained) = 0;

    /// The deadline has passed: close every connection that is left, now, and say how many. Threads
    /// in a request handler cannot be stopped; the process exits under them.
    virtual std::size_t close_remaining() = 0;

    /// Connections open at this moment, for status lines. Thread-safe.
    [[nodiscard]] virtual std::size_t open_connections() const = 0;
};

}  // namespace handover
