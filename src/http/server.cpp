// SPDX-License-Identifier: MIT
#include "http/server.h"

#include "handover/error.h"
#include "http/ascii.h"
#include "http/engine.h"
#include "http/http_date.h"
#include "http/message_stream.h"
#include "http/request_text.h"
#include "http/response_headers.h"

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
    bool close;                 ///< the connection ends with this response
    bool close_after_response;  ///< see Connection
    bool headers_done = false;
    bool drained = false;  ///< and it does so only because we drain, or its listener is gone
    int status = 0;        ///< once the headers are done
};

/// The exchange this worker is in. httplib's hook is told the request and the response only.
thread_local Exchange* current_exchange = nullptr;

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
    Exchange exchange{head, stream, head.wants_close || head.websocket,
                      connection.close_after_response};
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
    if (exchange.headers_done) engine_.counters().durations().add(Clock::now() - begin);
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
    const Framing framing = clean_response_headers(headers, response.status);
    if (!framing.has_date) headers.emplace("Date", date_now());
    exchange->close = exchange->close || must_close(*exchange, request, response, framing);
    exchange->drained = !exchange->close && (exchange->close_after_response || engine_.closing());
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
    engine_.counters().answered(response.status);
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
        return {stream.wrote() ? Outcome::linger : Outcome::close, CloseReason::closed_by_client};
    if (!answered) return {stream.wrote() ? Outcome::linger : Outcome::close};
    if (!exchange.headers_done && !exchange.head.websocket) {
        if (!hook_reported_.exchange(true))
            report(
                "set_post_routing_handler() was called on httplib's class, not on ours: "
                "connections are closed after each response");
        return {Outcome::linger};
    }
    if (exchange.drained) return {Outcome::linger, CloseReason::drained};
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

ConnectionCounts Server::counts() const {
    return impl_->engine().counts();
}

std::size_t Server::open_connections() const {
    return impl_->engine().open_connections();
}

ConnectionStates Server::connection_states() const {
    return impl_->engine().connection_states();
}

void Server::count_in(const ServerCounters& counters) {
    impl_->engine().count_in(counters);
}

const ServerCounters& Server::counters() const {
    return impl_->engine().counters();
}

Server& Server::set_post_routing_handler(Handler handler) {
    impl_->post_routing_handler = std::move(handler);
    return *this;
}

}  // namespace handover::http
