// SPDX-License-Identifier: MIT
#pragma once

#include "http/answered_request.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace handover::http {

using Clock = std::chrono::steady_clock;

/// Limits and time-outs of a Server. A value type; the defaults suit a service on the open
/// internet.
struct ServerOptions {
    /// A connection on which no byte of a request has arrived is closed after this long.
    std::chrono::milliseconds idle_timeout{std::chrono::seconds{60}};
    /// From the first byte of a request to the end of its head; then 408.
    std::chrono::milliseconds head_timeout{std::chrono::seconds{10}};
    /// For the whole body of a request, counted from the first time we have to wait for it; then
    /// 408. Sooner for large bodies when too many are slow: see threads_max.
    std::chrono::milliseconds body_timeout{std::chrono::seconds{60}};
    /// A response of which the client takes nothing for this long is given up; or too little: the
    /// kernel wants a third of a socket's send buffer free before it calls it writable.
    std::chrono::milliseconds write_stall_timeout{std::chrono::seconds{30}};
    /// After our FIN we wait this long for the client's: closing with bytes unread would make the
    /// kernel send a reset, which can destroy a response that the client has not read yet.
    std::chrono::milliseconds linger{std::chrono::seconds{1}};

    /// Request line and header lines; else 431. It is the size of the receive buffer, too: a
    /// request whose head and body are no larger is received without a thread, and every
    /// connection in the middle of one can keep so many bytes.
    std::size_t head_bytes_max = std::size_t{32} << 10U;
    std::size_t head_lines_max = 100;  ///< header lines; else 431
    /// Of a body as it comes over the wire, and that is all it is: one with a Content-Encoding is
    /// refused (415). Else 413.
    std::uint64_t body_bytes_max = std::uint64_t{100} << 20U;

    /// Workers, those that are stuck in a slow handler included. Half of them at most wait for a
    /// client in the middle of a message; whoever would be waited for beyond that is given up at
    /// once. See Server.
    std::size_t threads_max = 512;

    /// Asked about each connection that is accepted, which it borrows; false closes it at once. For
    /// what the kernel knows of the other end: credentials (SO_PEERCRED), address. Called from any
    /// thread; must neither block nor throw. Not set: everybody may come.
    std::function<bool(int connection)> admits;

    /// Told of each request that ServerCounters counts, once its response is sent or has been given
    /// up on the way; also of what is refused. Called from any thread; must not throw, and lets a
    /// connection wait as long as it takes. Not set, it costs nothing.
    std::function<void(const AnsweredRequest&)> on_answer;

    /// Faults that concern no single request: no descriptors left, a dead listener, no thread to be
    /// had. Called from any thread; must not throw. The library itself logs nothing.
    std::function<void(const std::string&)> on_error;
};

}  // namespace handover::http
