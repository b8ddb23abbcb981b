// SPDX-License-Identifier: MIT
#include "http/connection_handler.h"

#include "http/error_response.h"
#include "http/request_text.h"

#include <sys/socket.h>

#include <cerrno>
#include <optional>

namespace handover::http {
namespace {

/// Why a head that is there will not be answered by others.
std::optional<Refusal> refusal_for(HeadVerdict verdict) {
    switch (verdict) {
        case HeadVerdict::malformed:
            return Refusal::malformed;
        case HeadVerdict::head_too_large:
            return Refusal::head_too_large;
        case HeadVerdict::body_too_large:
            return Refusal::body_too_large;
        case HeadVerdict::body_is_coded:
            return Refusal::body_is_coded;
        case HeadVerdict::incomplete:
        case HeadVerdict::complete:
            break;
    }
    return std::nullopt;
}

/// Is a part of the body outstanding that can be waited for without a thread?
bool waits_for_body(const RequestHead& head, const ReceiveBuffer& input) {
    if (head.chunked || head.expects_continue) return false;
    const auto size = head.length_bytes + head.content_length_bytes;  // both have their limits
    return input.size() < size && size <= input.capacity();
}

}  // namespace

ConnectionHandler::ConnectionHandler(const ServerOptions& options, Responder& responder,
                                     const std::atomic<bool>& moving,
                                     const ServerCounters& counters)
    : options_(options),
      limits_{options.head_bytes_max, options.head_lines_max, options.body_bytes_max},
      responder_(responder),
      moving_(moving),
      counters_(counters) {}

ConnectionHandler::Turn ConnectionHandler::handle_ready(Connection& connection,
                                                        ReceiveBuffer& input) {
    const std::size_t kept = connection.unread.size();
    if (kept > input.capacity())
        return refused(connection, Refusal::head_too_large, connection.unread);
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
    const bool waits = turn.next == Next::park || turn.next == Next::park_on;
    return ended && waits ? Turn{Next::close} : turn;
}

ConnectionHandler::Turn ConnectionHandler::refused(const Connection& connection, Refusal refusal,
                                                   std::string_view received) const {
    const bool timed_out = refusal == Refusal::request_timeout;
    refuse(connection.fd.get(), refusal, counters_);
    if (options_.on_answer)
        tell_answer(options_, connection.remote, received, static_cast<int>(refusal), 0,
                    timed_out ? connection.since : Clock::now());
    return {Next::linger, timed_out ? CloseReason::timed_out : CloseReason::last_response};
}

ConnectionHandler::Turn ConnectionHandler::answer_all(Connection& connection,
                                                      ReceiveBuffer& input) {
    for (bool is_new = false;; is_new = true) {
        if (moving_) {
            connection.unread.assign(input.view());
            return {Next::move};
        }
        input.consume(count_leading_empty_lines(input.view()));
        if (input.empty()) return {Next::park};
        RequestHead head;
        const auto verdict = scan_request_head(input.view(), limits_, head);
        if (verdict == HeadVerdict::incomplete)
            return keep_part(connection, input, Waiting::for_rest_of_head, is_new);
        if (const auto refusal = refusal_for(verdict))
            return refused(connection, *refusal, input.view());
        if (waits_for_body(head, input))
            return keep_part(connection, input, Waiting::for_rest_of_body, is_new);
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
/// whoever has bytes to be read: so its time is checked here as well. `is_new`: the request began
/// in this turn.
ConnectionHandler::Turn ConnectionHandler::keep_part(Connection& connection,
                                                     const ReceiveBuffer& input, Waiting waiting,
                                                     bool is_new) const {
    const bool runs_on = !is_new && connection.waiting == waiting;
    const auto timeout =
        waiting == Waiting::for_rest_of_head ? options_.head_timeout : options_.body_timeout;
    if (runs_on && Clock::now() - connection.since > timeout)
        return refused(connection, Refusal::request_timeout, input.view());
    connection.unread.assign(input.view());
    return {runs_on ? Next::park_on : Next::park, CloseReason::closed_by_client, waiting};
}

ConnectionHandler::Turn ConnectionHandler::discard(const Connection& connection,
                                                   ReceiveBuffer& input) {
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
