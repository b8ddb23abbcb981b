// SPDX-License-Identifier: MIT
#include "http/conversation.h"

#include "http/refusal.h"

#include <sys/socket.h>

#include <cerrno>

namespace handover::http {

Conversation::Conversation(const ServerOptions& options, Responder& responder,
                           const std::atomic<bool>& moving)
    : options_(options),
      limits_{options.head_bytes_max, options.head_lines_max, options.body_bytes_max},
      responder_(responder),
      moving_(moving) {}

Conversation::Turn Conversation::take_turn(Connection& connection, ReceiveBuffer& input) {
    const std::size_t kept = connection.unread.size();
    if (kept > input.capacity()) return refused(connection, Refusal::head_too_large);
    input.assign(connection.unread);
    bool ended = false;
    if (kept < input.capacity()) {
        const ssize_t count = input.fill(connection.fd.get());
        if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return {Next::close};
        ended = count == 0;
    }
    if (kept > 0) connection.unread = std::string();
    if (ended && input.empty()) return {Next::close};  // between requests: nothing is owed
    const Turn turn = answer_all(connection, input);
    // A client may end its direction right after its requests; but a part of one is given up.
    const bool waits = turn.next == Next::park_idle || turn.next == Next::park_with_new_head ||
                       turn.next == Next::park_with_same_head;
    return ended && waits ? Turn{Next::close} : turn;
}

Conversation::Turn Conversation::refused(const Connection& connection, Refusal refusal) {
    refuse(connection.fd.get(), refusal);
    return {Next::linger,
            refusal == Refusal::request_timeout ? Ending::timed_out : Ending::last_response};
}

Conversation::Turn Conversation::answer_all(Connection& connection, ReceiveBuffer& input) {
    bool is_new = connection.waiting != Waiting::for_rest_of_head;
    for (;; is_new = true) {
        if (moving_) {
            connection.unread.assign(input.view());
            return {Next::move};
        }
        input.consume(count_leading_empty_lines(input.view()));
        if (input.empty()) return {Next::park_idle};
        RequestHead head;
        switch (scan_request_head(input.view(), limits_, head)) {
            case HeadVerdict::incomplete:
                return keep_part_of_head(connection, input, is_new);
            case HeadVerdict::malformed:
                return refused(connection, Refusal::malformed);
            case HeadVerdict::head_too_large:
                return refused(connection, Refusal::head_too_large);
            case HeadVerdict::body_too_large:
                return refused(connection, Refusal::body_too_large);
            case HeadVerdict::body_is_coded:
                return refused(connection, Refusal::body_is_coded);
            case HeadVerdict::complete:
                break;
        }
        const auto answer = responder_.respond(connection, input, head);
        switch (answer.outcome) {
            case Responder::Outcome::next_request:
                break;
            case Responder::Outcome::linger:
                (void)::shutdown(connection.fd.get(), SHUT_WR);
                return {Next::linger, answer.ending};
            case Responder::Outcome::close:
                return {Next::close, answer.ending};
        }
    }
}

/// A client that keeps sending a byte now and then is not seen by the sweep, which leaves alone
/// whoever has bytes to be read: so its time is checked here as well.
Conversation::Turn Conversation::keep_part_of_head(Connection& connection,
                                                   const ReceiveBuffer& input, bool is_new) const {
    if (!is_new && Clock::now() - connection.since > options_.head_timeout)
        return refused(connection, Refusal::request_timeout);
    connection.unread.assign(input.view());
    return {is_new ? Next::park_with_new_head : Next::park_with_same_head};
}

Conversation::Turn Conversation::discard(const Connection& connection, ReceiveBuffer& input) {
    input.clear();
    // A few turns only: a client that sends without end must not keep a worker.
    for (int i = 0; i < 16; ++i) {
        const ssize_t count = input.fill(connection.fd.get());
        if (count == 0) return {Next::close};
        if (count < 0)
            return {errno == EAGAIN || errno == EWOULDBLOCK ? Next::linger : Next::close};
        input.clear();
    }
    return {Next::linger};
}

}  // namespace handover::http
