// SPDX-License-Identifier: MIT
#include "support/client_connections.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <system_error>
#include <utility>

namespace handover::test {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t shown_of_malformed = 40;

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

void limit_sending(int fd, milliseconds timeout) {
    const timeval at_most{timeout.count() / 1000, timeout.count() % 1000 * 1000};
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &at_most, sizeof at_most);
}

bool is_complete(Outcome outcome) {
    return outcome == Outcome::answered || outcome == Outcome::answered_otherwise;
}

}  // namespace

ClientConnections::ClientConnections(ClientOptions options, Mode mode, Callbacks callbacks)
    : options_(std::move(options)),
      mode_(mode),
      callbacks_(std::move(callbacks)),
      request_(request_text(options_.request, mode_.keep_alive)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      connections_(options_.connections) {
    if (!epoll_) fail("epoll_create1");
}

void ClientConnections::watch(int fd, std::function<bool()> callback) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = connections_.size() + watches_.size();
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
        fail("cannot watch a descriptor");
    watches_.push_back(std::move(callback));
    watched_.push_back(fd);
}

void ClientConnections::start(std::size_t index, Clock::time_point due) {
    Connection& connection = connections_[index];
    connection.due = due;
    connection.started = Clock::now();
    connection.sent = 0;
    connection.response = ResponseReader();
    if (connection.state != State::idle) return connect(connection);
    set_state(connection, State::waiting);
    send_request(connection);
}

void ClientConnections::connect(Connection& connection) {
    connection.fd = make_socket();
    if (mode_.keep_alive && connection.opened_before) recorder_.reconnecting();
    connection.opened_before = true;
    connection.requests = 0;
    set_state(connection, State::connecting);

    const int fd = connection.fd.get();
    const int result = ::connect(fd, options_.target.address(), options_.target.address_length());
    const int error = result == 0 ? 0 : errno;
    if (error != 0 && error != EINPROGRESS) return finish_unconnected(connection, error);
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.u64 = index_of(connection);
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
}

UniqueFd ClientConnections::make_socket() const {
    const bool local = options_.target.family() == AF_UNIX;
    const bool waits = local && mode_.wait_for_backlog;
    const int type = SOCK_STREAM | SOCK_CLOEXEC | (waits ? 0 : SOCK_NONBLOCK);
    UniqueFd fd(::socket(options_.target.family(), type, 0));
    if (!fd) fail("socket");
    const int on = 1;
    if (waits) limit_sending(fd.get(), options_.timeout);
    if (!local) ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

/// Something happened on this connection (edge-triggered: take all there is).
void ClientConnections::handle(Connection& connection) {
    if (connection.state == State::connecting) finish_connect(connection);
    if (connection.state == State::waiting) {
        if (connection.sent < request_.size()) send_request(connection);
        if (connection.state == State::waiting) read_response(connection);
    }
    // Also straight after a response: the end of the connection may have come in the same edge.
    if (connection.state == State::idle) read_idle(connection);
}

void ClientConnections::finish_connect(Connection& connection) {
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(connection.fd.get(), SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) return finish_unconnected(connection, error);
    // An edge may come before the connection stands; getpeername(2) knows.
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(connection.fd.get(), reinterpret_cast<sockaddr*>(&peer), &size) != 0) return;
    recorder_.connected();
    set_state(connection, mode_.request_on_connect ? State::waiting : State::idle);
}

void ClientConnections::send_request(Connection& connection) {
    while (connection.sent < request_.size()) {
        const ssize_t count = ::send(connection.fd.get(), request_.data() + connection.sent,
                                     request_.size() - connection.sent, MSG_NOSIGNAL);
        if (count >= 0) {
            connection.sent += static_cast<std::size_t>(count);
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR) {
            // A response may have come before the server stopped reading.
            if (errno == EPIPE) return read_response(connection);
            return finish_ended(connection, errno);
        }
    }
    if (callbacks_.on_sent) callbacks_.on_sent();
}

void ClientConnections::read_response(Connection& connection) {
    std::array<char, 16384> buffer{};
    while (true) {
        const ssize_t count = ::recv(connection.fd.get(), buffer.data(), buffer.size(), 0);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) return finish_ended(connection, count < 0 ? errno : 0);
        const std::string_view bytes(buffer.data(), static_cast<std::size_t>(count));
        switch (connection.response.feed(bytes)) {
            case ResponseReader::State::complete:
                return finish_complete(connection);
            case ResponseReader::State::malformed:
                return finish(connection, Outcome::malformed,
                              "got " + std::string(bytes.substr(0, shown_of_malformed)));
            case ResponseReader::State::nothing:
            case ResponseReader::State::partial:
                break;
        }
    }
}

/// No request is outstanding: whatever comes is the end of the connection.
void ClientConnections::read_idle(Connection& connection) {
    char byte = 0;
    const ssize_t count = ::recv(connection.fd.get(), &byte, 1, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    const std::string what = count > 0    ? "bytes nobody asked for"
                             : count == 0 ? "end of file"
                                          : std::strerror(errno);
    recorder_.closed_while_idle(what + " after request " + std::to_string(connection.requests));
    set_state(connection, State::absent);
}

void ClientConnections::finish_complete(Connection& connection) {
    const int status = connection.response.status();
    if (status == 200) return finish(connection, Outcome::answered);
    finish(connection, Outcome::answered_otherwise, "status " + std::to_string(status));
}

/// The connection ended (error 0: end of file) with a request outstanding.
void ClientConnections::finish_ended(Connection& connection, int error) {
    if (error == 0 && connection.response.end() == ResponseReader::State::complete)
        return finish_complete(connection);
    const bool begun = connection.response.state() != ResponseReader::State::nothing;
    finish(connection,
           begun        ? Outcome::partial
           : error == 0 ? Outcome::closed
                        : Outcome::reset,
           error == 0 ? "end of file" : std::strerror(error));
}

void ClientConnections::finish_unconnected(Connection& connection, int error) {
    finish(connection, error == ECONNREFUSED ? Outcome::refused : Outcome::connect_failed,
           std::string("connect: ") + std::strerror(error));
}

/// Every request ends here, and every connect that failed.
void ClientConnections::finish(Connection& connection, Outcome outcome, const std::string& detail) {
    record(connection, outcome, detail);
    ++connection.requests;
    const bool stays = is_complete(outcome) && mode_.keep_alive && !connection.response.closes();
    set_state(connection, stays ? State::idle : State::absent);
    if (callbacks_.on_finished) callbacks_.on_finished(connection, outcome);
}

void ClientConnections::record(const Connection& connection, Outcome outcome,
                               const std::string& detail) {
    using Milliseconds = std::chrono::duration<double, std::milli>;
    const auto now = Clock::now();
    const ResponseReader& response = connection.response;
    if (is_complete(outcome) && mode_.keep_alive && response.closes()) recorder_.close_announced();
    if (outcome == Outcome::answered)
        return recorder_.answered(now - connection.due, response.field("Handover-Generation"),
                                  response.field("Handover-Pid"));
    const auto after = std::llround(Milliseconds(now - connection.started).count());
    recorder_.failed(outcome, connection.requests == 0,
                     detail + " after " + std::to_string(after) + " ms, request " +
                         std::to_string(connection.requests + 1) + " of its connection");
}

void ClientConnections::expire(bool all) {
    const auto now = Clock::now();
    if (now - last_expire_ < expire_every) return;
    last_expire_ = now;
    for (Connection& connection : connections_) {
        if (busy_ == 0) return;
        if (!all && now - connection.started <= options_.timeout) continue;
        if (connection.state == State::connecting)
            finish(connection, Outcome::timed_out, "not connected");
        else if (connection.state == State::waiting)
            finish(connection, Outcome::timed_out, "no complete answer");
    }
}

bool ClientConnections::handle_events(Clock::duration at_most) {
    const auto left = std::max(Clock::duration(0), at_most);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec timeout{static_cast<time_t>(seconds.count()),
                           static_cast<long>((left - seconds).count())};

    std::array<epoll_event, 256> events{};
    const int count = ::epoll_pwait2(epoll_.get(), events.data(), events.size(), &timeout, nullptr);
    if (count < 0 && errno != EINTR) fail("epoll_pwait2");
    for (int i = 0; i < count; ++i) {
        const std::size_t index = events[static_cast<std::size_t>(i)].data.u64;
        if (index >= connections_.size())
            handle_watch(index - connections_.size());
        else if (connections_[index].fd)  // not closed by an earlier callback
            handle(connections_[index]);
    }
    return count == static_cast<int>(events.size());
}

void ClientConnections::handle_watch(std::size_t number) {
    if (!watches_[number]()) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, watched_[number], nullptr);
}

void ClientConnections::set_state(Connection& connection, State state) {
    const auto is_busy = [](State s) { return s == State::connecting || s == State::waiting; };
    const auto is_open = [](State s) { return s == State::idle || s == State::waiting; };
    busy_ += std::size_t{is_busy(state)} - std::size_t{is_busy(connection.state)};
    open_ += std::size_t{is_open(state)} - std::size_t{is_open(connection.state)};
    connection.state = state;
    if (state == State::absent) connection.fd.reset();
}

}  // namespace handover::test
