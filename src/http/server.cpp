// SPDX-License-Identifier: MIT
#include "http/server.h"

#include "handover/error.h"
#include "http/ascii.h"
#include "http/engine.h"
#include "http/http_date.h"
#include "http/message_stream.h"
#include "http/request_text.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace handover::http {
namespace {

constexpr socket_t no_socket = -1;  // httplib's INVALID_SOCKET

/// One request and its response, while httplib is at work on them.
struct Exchange {
    const RequestHead& head;
    MessageStream& stream;
    bool close;    ///< the connection ends with this response
    bool leaving;  ///< see Connection
    bool headers_done = false;
    bool drained = false;  ///< and it does so only because we drain, or its listener is gone
    int status = 0;        ///< once the headers are done
};

/// The exchange this worker is in. httplib's hook is told the request and the response only.
thread_local Exchange* current_exchange = nullptr;

/// httplib before 0.30 writes into a response what a handler has put there, so that a client whose
/// text is in it would write headers of its making, or a response (CVE-2026-21428).
bool breaks_lines(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

/// In requests: httplib before 0.44 percent-decodes header values, line breaks included. Somebody
/// who logs or forwards such a value would write a header of the client's making.
void drop_headers_with_line_breaks(httplib::Headers& headers) {
    for (auto header = headers.begin(); header != headers.end();) {
        const bool bad = breaks_lines(header->first) || breaks_lines(header->second);
        header = bad ? headers.erase(header) : std::next(header);
    }
}

bool may_have_body(int status) {
    return status != 204 && status != 304;
}

/// What the headers of a response say about its connection.
struct Framing {
    bool has_length_or_chunks = false;
    bool says_connection = false;
    bool says_close = false;
    bool has_date = false;
};

/// Reads them and drops what must not be sent, in one pass: it is done for every response, and a
/// look-up in httplib's map compares letter by letter. httplib says "Content-Length: 0" where there
/// is no body: of a 304 that would be the length of what the client has.
Framing clean(httplib::Headers& headers, int status) {
    Framing framing;
    for (auto header = headers.begin(); header != headers.end();) {
        const auto& [name, value] = *header;
        // httplib before 0.35 tells the client what() of an exception (CVE-2026-28434). An error
        // handler may have chosen another status since.
        if (breaks_lines(name) || breaks_lines(value) || equal_ignoring_case(name, "Keep-Alive") ||
            equal_ignoring_case(name, "EXCEPTION_WHAT") ||
            (!may_have_body(status) && equal_ignoring_case(name, "Content-Length"))) {
            header = headers.erase(header);
            continue;
        }
        if (equal_ignoring_case(name, "Connection")) {
            framing.says_connection = true;
            framing.says_close = framing.says_close || equal_ignoring_case(value, "close");
        }
        framing.has_date = framing.has_date || equal_ignoring_case(name, "Date");
        framing.has_length_or_chunks = framing.has_length_or_chunks ||
                                       equal_ignoring_case(name, "Content-Length") ||
                                       equal_ignoring_case(name, "Transfer-Encoding");
        ++header;
    }
    return framing;
}

/// Caches reckon with it (RFC 9110, 6.6.1). Put together once a second by each worker.
const std::string& date_now() {
    thread_local std::chrono::sys_seconds second{std::chrono::seconds(-1)};
    thread_local std::string text;
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    if (now != std::exchange(second, now)) text = to_http_date(now);
    return text;
}

/// HTTP/1.0 knows nothing of chunks: such a body ends with the connection. httplib sends chunks to
/// everybody.
void send_without_chunks(httplib::Response& response) {
    response.is_chunked_content_provider_ = false;
    response.headers.erase("Transfer-Encoding");
}

/// Takes one header with this value out; empty if there is none.
httplib::Headers::node_type take_one(httplib::Headers& headers, std::string_view name,
                                     std::string_view value) {
    for (auto header = headers.begin(); header != headers.end(); ++header)
        if (equal_ignoring_case(header->first, name) && header->second == value)
            return headers.extract(header);
    return {};
}

}  // namespace

class Server::Impl final : public Responder {
  public:
    Impl(Server& server, ServerOptions options);
    ~Impl() override { server_.svr_sock_ = no_socket; }

    Answer respond(Connection& connection, ReceiveBuffer& input, const RequestHead& head) override;
    void finish_headers(const httplib::Request& request, httplib::Response& response);
    void abort_content_providers(bool abort) {
        server_.svr_sock_ = abort ? no_socket : dummy_socket_.get();
    }

    Engine& engine() { return engine_; }
    [[nodiscard]] const Engine& engine() const { return engine_; }
    Handler post_routing_handler;  ///< the user's

  private:
    bool process(Exchange& exchange);
    void report(const std::string& what) const {
        if (options_.on_error) options_.on_error(what);
    }
    [[nodiscard]] static bool must_close(const Exchange& exchange, const httplib::Request& request,
                                         const httplib::Response& response, const Framing& framing);
    Answer conclude(Exchange& exchange, bool answered);

    Server& server_;
    const ServerOptions options_;
    const std::string keep_alive_text_;
    /// httplib takes svr_sock_ == INVALID_SOCKET for "shutting down" and then cuts every response
    /// that comes from a content provider. This stands in for the listener that we never give it.
    UniqueFd dummy_socket_;
    std::atomic<bool> hook_reported_{false};
    Engine engine_;
};

/// process_request() has grown arguments in 0.18 and, with a default, in 0.33. Which one there is,
/// the compiler finds out.
struct Server::ProcessRequest {
    using Setup = std::function<void(httplib::Request&)>;

    template <class Base>
    static auto call(Base& server, MessageStream& stream, bool close, bool& closed,
                     const Setup& setup, int)
        -> decltype(server.process_request(stream, std::string(), 0, std::string(), 0, close,
                                           closed, setup)) {
        std::string remote;
        std::string local;
        int remote_port = 0;
        int local_port = 0;
        stream.get_remote_ip_and_port(remote, remote_port);
        stream.get_local_ip_and_port(local, local_port);
        return server.process_request(stream, remote, remote_port, local, local_port, close, closed,
                                      setup);
    }

    template <class Base>
    static auto call(Base& server, MessageStream& stream, bool close, bool& closed,
                     const Setup& setup, long)
        -> decltype(server.process_request(stream, close, closed, setup)) {
        return server.process_request(stream, close, closed, setup);
    }
};

Server::Impl::Impl(Server& server, ServerOptions options)
    : server_(server),
      options_(std::move(options)),
      keep_alive_text_(
          "timeout=" +
          std::to_string(
              std::chrono::duration_cast<std::chrono::seconds>(options_.idle_timeout).count())),
      dummy_socket_(::eventfd(0, EFD_CLOEXEC)),
      engine_(options_, *this) {
    if (!dummy_socket_) throw os_error("cannot create an eventfd", errno);
    server_.svr_sock_ = dummy_socket_.get();
}

Responder::Answer Server::Impl::respond(Connection& connection, ReceiveBuffer& input,
                                        const RequestHead& head) {
    const auto begin = Clock::now();
    // For later: what follows the head may come to lie in its place.
    const std::string head_text(options_.on_answer ? input.view().substr(0, head.length_bytes)
                                                   : std::string_view());
    if (head.has_foreign_range) hide_ranges(input.front(head.length_bytes));
    MessageStream stream(connection, input, head, options_, engine_.client_waits());
    Exchange exchange{head, stream, head.wants_close || head.websocket, connection.leaving};
    bool answered = false;
    current_exchange = &exchange;
    try {
        answered = process(exchange);
    } catch (const std::exception& error) {  // from a hook, a logger or a content provider
        report("a request was given up after an exception: " + std::string(error.what()));
    } catch (...) {
        report("a request was given up after an exception of unknown type");
    }
    current_exchange = nullptr;
    if (exchange.headers_done) engine_.totals().durations().add(Clock::now() - begin);
    if (exchange.headers_done && options_.on_answer)
        tell_answer(options_, connection.remote, head_text, exchange.status,
                    stream.body_bytes_sent(), begin);
    return conclude(exchange, answered);
}

bool Server::Impl::process(Exchange& exchange) {
    const auto setup = [&exchange](httplib::Request& request) {
        if (exchange.head.has_encoded_control) drop_headers_with_line_breaks(request.headers);
        if (exchange.head.has_foreign_range) request.headers.erase(std::string(hidden_range_name));
        // httplib compresses no body that ends with the connection, but would say that it had.
        if (exchange.head.http_1_0) request.headers.erase("Accept-Encoding");
        exchange.stream.begin_body();
    };
    // We always claim that the connection will be closed, which makes httplib add exactly one
    // "Connection: close": finish_headers() takes it back. It is cheaper than its Keep-Alive line,
    // and it makes all versions treat errors alike.
    // What it makes of `closed` we do not need, as we have read the head ourselves.
    bool closed = false;
    const bool written = ProcessRequest::call(server_, exchange.stream, true, closed, setup, 0);
    return exchange.stream.flush() && written;
}

/// The last moment before the head of the response is written: where it is decided, once for all,
/// whether the connection goes on.
void Server::Impl::finish_headers(const httplib::Request& request, httplib::Response& response) {
    Exchange* exchange = current_exchange;
    auto& headers = response.headers;
    auto claim = take_one(headers, "Connection", "close");
    // httplib calls every body that it cannot read a bad request.
    if (exchange != nullptr && response.status == 400 && exchange->stream.body_fault() != 0)
        response.status = exchange->stream.body_fault();
    if (post_routing_handler) post_routing_handler(request, response);
    if (exchange == nullptr) return;
    exchange->headers_done = true;
    if (exchange->head.http_1_0) send_without_chunks(response);
    const Framing framing = clean(headers, response.status);
    if (!framing.has_date) headers.emplace("Date", date_now());
    exchange->close = exchange->close || must_close(*exchange, request, response, framing);
    exchange->drained = !exchange->close && (exchange->leaving || engine_.closing());
    exchange->close = exchange->close || exchange->drained;
    if (claim.empty()) claim = httplib::Headers{{"", ""}}.extract("");
    if (exchange->close) {
        if (framing.says_connection) headers.erase("Connection");
        claim.key() = "Connection";
        claim.mapped() = "close";
    } else {
        if (exchange->head.http_1_0) headers.emplace("Connection", "keep-alive");
        claim.key() = "Keep-Alive";
        claim.mapped() = keep_alive_text_;
    }
    headers.insert(std::move(claim));
    exchange->status = response.status;
    engine_.totals().answered(response.status);
    exchange->stream.end_reading();
    if (!response.body.empty()) exchange->stream.cork(headers);
}

bool Server::Impl::must_close(const Exchange& exchange, const httplib::Request& request,
                              const httplib::Response& response, const Framing& framing) {
    const bool has_body = request.method != "HEAD" && may_have_body(response.status);
    return framing.says_close || (has_body && !framing.has_length_or_chunks) ||
           !exchange.stream.in_body() || exchange.stream.much_left() || exchange.stream.broken();
}

Responder::Answer Server::Impl::conclude(Exchange& exchange, bool answered) {
    MessageStream& stream = exchange.stream;
    if (stream.broken())
        return {stream.wrote() ? Outcome::linger : Outcome::close, Ending::closed_by_client};
    if (!answered) return {stream.wrote() ? Outcome::linger : Outcome::close};
    if (!exchange.headers_done && !exchange.head.websocket) {
        if (!hook_reported_.exchange(true))
            report(
                "set_post_routing_handler() was called on httplib's class, not on ours: "
                "connections are closed after each response");
        return {Outcome::linger};
    }
    if (exchange.drained) return {Outcome::linger, Ending::drained};
    if (exchange.close)  // who wanted it so sends nothing more: no need to wait for his FIN
        return {exchange.head.wants_close && stream.at_end() ? Outcome::close : Outcome::linger};
    return {stream.skip_rest() ? Outcome::next_request : Outcome::linger};
}

// ---- Server

Server::Server(ServerOptions options) : impl_(std::make_unique<Impl>(*this, std::move(options))) {
    httplib::Server::set_post_routing_handler(
        [this](const httplib::Request& request, httplib::Response& response) {
            impl_->finish_headers(request, response);
        });
}

Server::~Server() = default;

void Server::start_accepting(const std::vector<const Listener*>& listeners) {
    impl_->abort_content_providers(false);
    impl_->engine().start_accepting(listeners);
}

void Server::stop_accepting() {
    impl_->engine().stop_accepting();
}

void Server::accept_queued_and_stop() {
    impl_->engine().accept_queued_and_stop();
}

void Server::drain(const Drain& how, std::function<void()> drained) {
    impl_->engine().drain(how, std::move(drained));
}

std::size_t Server::close_remaining() {
    impl_->abort_content_providers(true);
    return impl_->engine().close_remaining();
}

void Server::adopt(ParkedConnection connection) {
    impl_->engine().adopt(std::move(connection));
}

bool Server::is_responsive(std::chrono::milliseconds within) const {
    return impl_->engine().is_responsive(within);
}

Tally Server::tally() const {
    return impl_->engine().tally();
}

std::size_t Server::open_connections() const {
    return impl_->engine().open_connections();
}

ConnectionStates Server::connection_states() const {
    return impl_->engine().connection_states();
}

void Server::count_in(const ServerTotals& totals) {
    impl_->engine().count_in(totals);
}

const ServerTotals& Server::totals() const {
    return impl_->engine().totals();
}

Server& Server::set_post_routing_handler(Handler handler) {
    impl_->post_routing_handler = std::move(handler);
    return *this;
}

}  // namespace handover::http
