// SPDX-License-Identifier: MIT
#pragma once

#include "handover/unique_fd.h"
#include "http/server_options.h"
#include "http/socket_name.h"

#include <cstdint>
#include <string>

namespace handover::http {

/// What a connection that no worker holds is waiting for. Each has its time-out.
enum class Waiting : std::uint8_t {
    for_request,       ///< idle: nothing of the next request has arrived
    for_rest_of_head,  ///< a part of a request's head has arrived
    for_rest_of_body,  ///< its head has, and not all of a body that fits into the receive buffer
    for_client_close,  ///< we have sent our last byte and FIN: lingering
};
inline constexpr int waiting_kinds = 4;

/// An accepted connection. Parked it is this and nothing more: no thread, no buffer.
///
/// It lives in the ConnectionTable lot, which owns it and guards the members marked (lot). The
/// others belong to the worker that has claimed it. To move a parked connection to another process
/// takes `fd`, `listener` and `unread`.
struct Connection {
    UniqueFd fd;  ///< (lot)
    std::uint32_t generation =
        1;                       ///< (lot) which of the connections that had this descriptor number
    std::uint16_t listener = 0;  ///< index of the listener's name
    bool claimed = false;        ///< (lot) a worker holds it
    bool look_again = false;     ///< (lot) there may be something that no event will tell
    bool concluded = false;      ///< (lot) over, and counted: it only lingers
    bool close_after_response = false;  ///< it ends with its next response: its listener is gone
    Waiting waiting = Waiting::for_request;  ///< (lot)
    Clock::time_point since;                 ///< (lot) when it began to wait for this
    Connection* previous = nullptr;          ///< (lot)
    Connection* next = nullptr;              ///< (lot)
    SocketName remote;
    SocketName local;  ///< asked for when the first request needs it
    /// Received and not answered. Waiting for the rest of a head or body: the request as far as it
    /// has come. Waiting for a request: what another generation had received; it is looked at as
    /// soon as possible.
    std::string unread;
};
static_assert(sizeof(Connection) <= 128, "15,000 of them wait at a time");

}  // namespace handover::http
