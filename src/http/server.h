// SPDX-License-Identifier: MIT
#pragma once

#include "handover/service.h"
#include "http/server_counters.h"
#include "http/server_options.h"

#include <httplib.h>

#include <chrono>
#include <memory>

namespace handover::http {

/// cpp-httplib's server on connections of our own. Routes are registered as with httplib::Server;
/// accepting, waiting, time-outs, limits and draining are ours:
///
///     handover::http::Server server;
///     server.Get("/hello", [](const httplib::Request&, httplib::Response& response) {
///         response.set_content("Hello\n", "text/plain");
///     });
///     server.start_accepting({&listener});   // and the other functions of handover::Service
///
/// **Waiting costs no thread.** A connection is given a worker only when the head of a request is
/// there, and its body as well, if head and body fit into ServerOptions::head_bytes_max; between
/// requests it is an entry of 128 bytes in a table, without thread or buffer. A handler for small
/// bodies never waits for its client, not even one that leaves the body unread.
///
/// **Slow clients get half of the workers at most.** A worker has to wait where a body is larger
/// or chunked, where its client wants "100 Continue" first, where a response does not fit into the
/// socket, and for the frames of a WebSocket. When half of threads_max wait so, a further client
/// that is not ready at once is given up as one that has stalled: 408, or the connection ends if
/// the response has begun. So many uploads, downloads and WebSockets at a time need threads_max
/// to be twice as many.
///
/// **Handlers may block.** They run on worker threads, as many as there are cores (at least 2) plus
/// one for each worker that is stuck in a request for more than 5 ms, up to
/// ServerOptions::threads_max. One that only waits for a processor is not: a further thread would
/// make all of them wait longer. A handler that sleeps for 20 s delays nobody else. Two may run at
/// the same time: what they share needs a lock.
///
/// **Framing is judged before httplib sees it** (request_head.h), equally for all its versions.
/// What is refused there is answered by us, without routes, error handler or logger.
///
/// **Keep-alive** has no limit on the number of requests. Responses say "Keep-Alive: timeout=N"
/// with the real idle_timeout, which lets a client avoid the race of using a connection while we
/// close it; httplib's "max=" is left out, as there is no maximum.
///
/// **Descriptors.** Listeners are borrowed, connections are owned. Nothing is ever done to a
/// listener but accept4(2): no shutdown(), no change of flags.
///
/// **Threads.** Register routes before the first start_accepting(), which creates the threads; they
/// inherit its signal mask. Functions that are not marked as thread-safe are for one thread at a
/// time, which is Generation's where there is one.
///
/// **Errors.** Error (os) from the constructor and from start_accepting() if the system has no
/// descriptors or threads; later ones go to ServerOptions::on_error. A handler's exception is
/// httplib's to answer (500 or set_exception_handler), and its text never reaches the client.
class Server : public httplib::Server, public Service {
  public:
    /// Neither listens nor starts a thread yet. Throws Error (os).
    explicit Server(ServerOptions options = {});
    /// Closes every connection and waits for the handlers that run: a process that cannot wait
    /// leaves by _exit(2), without it. Listeners stay open.
    ~Server() override;

    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Accepts on these listeners, in place of those before; a drain() that goes on is over.
    /// Borrows them, objects and descriptors, until stop_accepting() or accept_queued_and_stop()
    /// has returned. Throws Error (os) if there is no thread to be had. See Service.
    void start_accepting(const std::vector<const Listener*>& listeners) override;
    /// Accepts nothing more, and has no use for the listeners when it returns. See Service.
    void stop_accepting() override;
    /// Accepts what waits in the listeners' queues, then does as stop_accepting(). See Service.
    void accept_queued_and_stop() override;
    /// Adopts the connection and goes on with it, what has been received of a request included. See
    /// Service.
    void adopt(ParkedConnection connection) override;
    /// Lets the connections end, and calls `drained` when none is left (see Service). Without
    /// Drain::give, responses that are written from now on say "Connection: close", also to
    /// requests that came before. With it, no further request is begun, and what has been received
    /// of one goes along. WebSockets and responses without end are cut by close_remaining() only.
    void drain(const Drain& how, std::function<void()> drained) override;
    /// Closes every connection, in the middle of a request, too, and returns how many. Handlers
    /// that run go on, and fail when they read or write. See Service.
    std::size_t close_remaining() override;
    /// Has there been a worker to begin a request at any moment within this time? False when all of
    /// ServerOptions::threads_max have been in a request for longer. Thread-safe.
    [[nodiscard]] bool is_responsive(std::chrono::milliseconds within) const override;
    /// How many connections this Server has had, and what became of them. A connection is over when
    /// its last response is, whether the client has closed it or not. Thread-safe.
    [[nodiscard]] ConnectionCounts counts() const override;
    /// How many connections have a descriptor here, those that are over and only wait for the
    /// client's FIN included. Thread-safe.
    [[nodiscard]] std::size_t open_connections() const;
    /// What the connections are doing at this moment. Thread-safe.
    [[nodiscard]] ConnectionStates connection_states() const;

    /// Counts in `counters`, which may go on from another process: those of
    /// Generation::program_counters(), for example. Borrows the counters, which have to outlive the
    /// Server. Call it before start_accepting(), or not at all: then it has counters of its own.
    void count_in(const ServerCounters& counters);
    /// What the Server counts in: its own, or those of count_in(). Valid as long as the Server
    /// lives. Thread-safe after start_accepting().
    [[nodiscard]] const ServerCounters& counters() const;

    /// Sets what is called before a response is written, as httplib's setter of this name does; the
    /// Server itself then has the last word on "Connection" and "Keep-Alive". Call it on a Server:
    /// Get() and its like return httplib's class, whose setter would replace the Server's own hook;
    /// every connection is closed after its first response then, and ServerOptions::on_error told.
    /// Before start_accepting().
    Server& set_post_routing_handler(Handler handler);

    // httplib's own listening is deleted: it calls shutdown() on a listener that others have, too.
    bool listen(const std::string&, int, int = 0) = delete;
    bool listen_after_bind() = delete;
    bool bind_to_port(const std::string&, int, int = 0) = delete;
    int bind_to_any_port(const std::string&, int = 0) = delete;
    bool is_running() const = delete;
    void wait_until_ready() const = delete;
    void stop() = delete;
    void decommission() = delete;
    // These would have no effect, and are options instead: see ServerOptions.
    Server& set_keep_alive_max_count(std::size_t) = delete;
    Server& set_keep_alive_timeout(time_t) = delete;
    template <class... Arguments>
    Server& set_read_timeout(Arguments...) = delete;
    template <class... Arguments>
    Server& set_write_timeout(Arguments...) = delete;
    template <class... Arguments>
    Server& set_idle_interval(Arguments...) = delete;

  private:
    class Impl;
    struct ProcessRequest;
    std::unique_ptr<Impl> impl_;
};

}  // namespace handover::http
