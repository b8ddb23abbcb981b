// SPDX-License-Identifier: MIT
#pragma once

#include "http/answered_request.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace handover::http {

/// By which a Server measures its time-outs.
using Clock = std::chrono::steady_clock;

/// Limits and time-outs of a Server, and whom it tells what. A value type; the defaults suit a
/// service on the open internet. The status that a limit names is that of the response to a request
/// beyond it (RFC 9110, section 15.5; RFC 6585).
struct ServerOptions {
    /// A connection on which no byte of a request has arrived is closed after this long. Clients
    /// read it, in whole seconds, in the header Keep-Alive of each response.
    std::chrono::milliseconds idle_timeout{std::chrono::seconds{60}};
    /// How long the head of a request may take, from its first byte to its last; then 408.
    std::chrono::milliseconds head_timeout{std::chrono::seconds{10}};
    /// How long the whole body of a request may take, from the first time that a worker has to wait
    /// for it; then 408. For large bodies it may be sooner, when too many are slow: see
    /// threads_max.
    std::chrono::milliseconds body_timeout{std::chrono::seconds{60}};
    /// A response of which the client takes nothing, or too little, for this long is given up, and
    /// its connection closed. Too little: the kernel wants a third of a socket's send buffer free
    /// before it calls it writable.
    std::chrono::milliseconds write_stall_timeout{std::chrono::seconds{30}};
    /// How long to wait for the client's FIN after sending ours. Closing with bytes unread would
    /// make the kernel send a reset, which can destroy a response that the client has not read yet
    /// (RFC 9112, section 9.6).
    std::chrono::milliseconds linger{std::chrono::seconds{1}};

    /// How many bytes request line and header lines may have together; else 431. It is the size of
    /// the receive buffer, too: a request whose head and body are no larger is received without a
    /// thread, and every connection in the middle of one can keep so many bytes in memory.
    std::size_t head_bytes_max = std::size_t{32} << 10U;
    /// How many header lines a request may have; else 431.
    std::size_t head_lines_max = 100;
    /// How many bytes the body of a request may have, chunk sizes not counted; else 413. It does
    /// not grow afterwards: a body with a Content-Encoding is refused with 415.
    std::uint64_t body_bytes_max = std::uint64_t{100} << 20U;

    /// How many worker threads there may be, those that are stuck in a slow handler included. At
    /// most half of them wait for a client in the middle of a message; a client that would have to
    /// be waited for beyond that is given up at once. See Server.
    std::size_t threads_max = 512;

    /// Asked about each connection that is accepted, whose descriptor it borrows until it returns;
    /// false closes it at once, and it is not counted. For what the kernel knows of the other end:
    /// credentials (SO_PEERCRED, unix(7)) or address. Called from any thread, several at a time;
    /// must neither block nor throw. Not set: everybody is admitted.
    std::function<bool(int connection)> admits;

    /// Told of each request that ServerCounters::answered_count() counts, once its response is sent
    /// or has been given up on the way; also of what is refused. Called from any thread, several at
    /// a time; must not throw. The connection waits until it returns. Not set: it costs nothing.
    std::function<void(const AnsweredRequest&)> on_answer;

    /// Told, in a sentence for people, of a fault that concerns more than a request: no descriptors
    /// left, a listener that accepts no more, no thread to be had; and of what a hook, a logger or
    /// a content provider has thrown. Called from any thread, several at a time; must not throw.
    /// Not set: nobody is told, for the library itself logs nothing.
    std::function<void(const std::string&)> on_error;
};

}  // namespace handover::http
