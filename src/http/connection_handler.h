// SPDX-License-Identifier: MIT
#pragma once

#include "handover/connection_counts.h"
#include "http/connection.h"
#include "http/error_response.h"
#include "http/receive_buffer.h"
#include "http/request_head.h"
#include "http/server_counters.h"
#include "http/server_options.h"

#include <atomic>
#include <string_view>

namespace handover::http {

/// Answers a request whose head has been found good.
class Responder {
  public:
    virtual ~Responder() = default;

    enum class Outcome {
        next_request,  ///< answered; the connection goes on
        linger,        ///< we end it: the client may be sending still
        close,         ///< it is over: the client wanted that, or is gone
    };
    struct Answer {
        Outcome outcome;
        CloseReason ending = CloseReason::last_response;  ///< unless the connection goes on
    };
    /// Called from any worker; may block. `input` begins with the head; what follows the message
    /// must be left in it.
    virtual Answer respond(Connection& connection, ReceiveBuffer& input,
                           const RequestHead& head) = 0;
};

/// One worker's turn with a connection that epoll reported: reads once, answers every request that
/// is complete, and says what the connection is to wait for then.
///
/// Complete is a request with its body, if the buffer has room for all of it. A larger body is the
/// Responder's to read, and so is a chunked one, which would have to be taken apart to know where
/// it ends, and one whose client waits for "100 Continue".
class ConnectionHandler {
  public:
    enum class Next {
        park,     ///< to wait for something else than before, or for the next of its kind
        park_on,  ///< to wait for the same as before, whose time runs on
        move,     ///< to another process, with what is unread
        linger,
        close,
    };
    struct Turn {
        Next next;
        CloseReason ending = CloseReason::closed_by_client;  ///< if it lingers or is closed
        Waiting waiting = Waiting::for_request;              ///< if it is parked
    };

    /// Borrows all. While `moving`, no further request is begun: it goes along with its connection.
    /// `counters` count what is refused.
    ConnectionHandler(const ServerOptions& options, Responder& responder,
                      const std::atomic<bool>& moving, const ServerCounters& counters);

    [[nodiscard]] Turn handle_ready(Connection& connection, ReceiveBuffer& input);
    /// The same for one that lingers: reads and forgets until the client has closed, too.
    [[nodiscard]] static Turn discard(const Connection& connection, ReceiveBuffer& input);

  private:
    /// `received` is what has come of the request.
    [[nodiscard]] Turn refused(const Connection& connection, Refusal refusal,
                               std::string_view received) const;
    [[nodiscard]] Turn answer_all(Connection& connection, ReceiveBuffer& input);
    [[nodiscard]] Turn keep_part(Connection& connection, const ReceiveBuffer& input,
                                 Waiting waiting, bool is_new) const;

    const ServerOptions& options_;
    const HeadLimits limits_;
    Responder& responder_;
    const std::atomic<bool>& moving_;
    const ServerCounters& counters_;
};

}  // namespace handover::http
