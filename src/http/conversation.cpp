// SPDX-License-Identifier: MIT
#include "http/conversation.h"

#include "http/refusal.h"

#include <sys/socket.h>

#include <cerrno>

namespace handover::http {

Conversation::Conversation(const ServerOptions& options, Responder& responder)
    : options_(options),
      limits_{options.head_bytes_max, options.head_lines_max, options.body_bytes_max},
      responder_(responder) {}

Conversation::Next Conversation::take_turn(Connection& connection, ReceiveBuffer& input) {
    input.assign(connection.unread);
    const ssize_t count = input.fill(connection.fd.get());
    if (count == 0) return Next::close;  // between requests, or giving one up: nothing is owed
    if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return Next::close;
    if (!connection.unread.empty()) connection.unread = std::string();
    return answer_all(connection, input);
}

Conversation::Next Conversation::answer_all(Connection& connection, ReceiveBuffer& input) {
    const auto refused = [&](Refusal refusal) {
        refuse(connection.fd.get(), refusal);
        return Next::linger;
    };
    bool is_new = connection.waiting != Waiting::for_rest_of_head;
    for (;; is_new = true) {
        input.consume(count_leading_empty_lines(input.view()));
        if (input.empty()) return Next::park_idle;
        RequestHead head;
        switch (scan_request_head(input.view(), limits_, head)) {
            case HeadVerdict::incomplete:
                return keep_part_of_head(connection, input, is_new);
            case HeadVerdict::malformed:
                return refused(Refusal::malformed);
            case HeadVerdict::head_too_large:
                return refused(Refusal::head_too_large);
            case HeadVerdict::body_too_large:
                return refused(Refusal::body_too_large);
            case HeadVerdict::complete:
                break;
        }
        switch (responder_.respond(connection, input, head)) {
            case Responder::Outcome::next_request:
                break;
            case Responder::Outcome::linger:
                (void)::shutdown(connection.fd.get(), SHUT_WR);
                return Next::linger;
            case Responder::Outcome::close:
                return Next::close;
        }
    }
}

/// A client that keeps sending a byte now and then is not seen by the sweep, which leaves alone
/// whoever has bytes to be read: so its time is checked here as well.
Conversation::Next Conversation::keep_part_of_head(Connection& connection,
                                                   const ReceiveBuffer& input, bool is_new) const {
    if (!is_new && Clock::now() - connection.since > options_.head_timeout) {
        refuse(connection.fd.get(), Refusal::request_timeout);
        return Next::linger;
    }
    connection.unread.assign(input.view());
    return is_new ? Next::park_with_new_head : Next::park_with_same_head;
}

Conversation::Next Conversation::discard(const Connection& connection, ReceiveBuffer& input) {
    input.clear();
    // A few turns only: a client that sends without end must not keep a worker.
    for (int i = 0; i < 16; ++i) {
        const ssize_t count = input.fill(connection.fd.get());
        if (count == 0) return Next::close;
        if (count < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? Next::linger : Next::close;
        input.clear();
    }
    return Next::linger;
}

}  // namespace handover::http
