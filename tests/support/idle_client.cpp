// SPDX-License-Identifier: MIT
#include "support/idle_client.h"

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

constexpr std::size_t connects_at_once = 256;  // fewer than a usual backlog holds
constexpr auto expire_every = milliseconds(50);
constexpr int examples_of_each_kind = 5;

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

/// A unix socket whose backlog is full says EAGAIN instead of "in progress", and nothing tells
/// when to try again: there connect(2) waits, for so long.
void wait_in_connect(int fd, milliseconds timeout) {
    const timeval at_most{timeout.count() / 1000, timeout.count() % 1000 * 1000};
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &at_most, sizeof at_most);
}

}  // namespace

IdleClient::IdleClient(IdleOptions options)
    : options_(std::move(options)),
      request_(request_text(options_.request, true)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      connections_(options_.connections) {
    if (!epoll_) fail("epoll_create1");
}

LoadReport IdleClient::open() {
    return for_each(connects_at_once, [this](Connection& connection) { connect(connection); });
}

LoadReport IdleClient::ask() {
    (void)count();
    return for_each(connections_.size(), [this](Connection& connection) {
        if (connection.state == State::idle) start_request(connection);
    });
}

std::size_t IdleClient::count() {
    handle_events(milliseconds(0));
    return open_;
}

/// Starts them all, at most so many at the same time, and waits until none is busy.
LoadReport IdleClient::for_each(std::size_t at_most,
                                const std::function<void(Connection&)>& start) {
    for (std::size_t next = 0; next < connections_.size() || busy_ > 0;) {
        while (next < connections_.size() && busy_ < at_most) start(connections_[next++]);
        if (busy_ > 0) handle_events(expire_every);
        expire();
    }
    report_.set_latencies(std::exchange(latencies_us_, {}));
    report_began_ = Clock::now();
    return std::exchange(report_, {});
}

void IdleClient::connect(Connection& connection) {
    const bool local = options_.target.family() == AF_UNIX;
    const int type = SOCK_STREAM | SOCK_CLOEXEC | (local ? 0 : SOCK_NONBLOCK);
    connection.fd.reset(::socket(options_.target.family(), type, 0));
    if (!connection.fd) fail("socket");
    const int fd = connection.fd.get();
    const int on = 1;
    if (local) wait_in_connect(fd, options_.timeout);
    if (!local) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);

    begin(connection, State::connecting);
    const int result = ::connect(fd, options_.target.address(), options_.target.address_length());
    const int error = result == 0 ? 0 : errno;
    if (error != 0 && error != EINPROGRESS) {
        finish(connection, error == ECONNREFUSED ? Outcome::refused : Outcome::connect_failed,
               std::string("connect: ") + std::strerror(error));
        return;
    }
    if (local) ::fcntl(fd, F_SETFL, O_NONBLOCK);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.u64 = static_cast<std::uint64_t>(&connection - connections_.data());
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
}

void IdleClient::start_request(Connection& connection) {
    begin(connection, State::waiting);
    connection.sent = 0;
    connection.response = ResponseReader();
    send_request(connection);
}

/// Something happened on this connection (edge-triggered: take all there is).
void IdleClient::handle(Connection& connection) {
    if (connection.state == State::connecting) finish_connect(connection);
    if (connection.state == State::waiting) {
        if (connection.sent < request_.size()) send_request(connection);
        if (connection.state == State::waiting) read_response(connection);
    }
    // Also straight after a response: the end of the connection may have come in the same edge.
    if (connection.state == State::idle) read_idle(connection);
}

void IdleClient::finish_connect(Connection& connection) {
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(connection.fd.get(), SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) {
        finish(connection, error == ECONNREFUSED ? Outcome::refused : Outcome::connect_failed,
               std::string("connect: ") + std::strerror(error));
        return;
    }
    // An edge may come before the connection stands; getpeername(2) knows.
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(connection.fd.get(), reinterpret_cast<sockaddr*>(&peer), &size) != 0) return;
    ++report_.connections_opened;
    ++open_;
    rest(connection);
    if (options_.first_request) start_request(connection);
}

void IdleClient::send_request(Connection& connection) {
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
}

void IdleClient::read_response(Connection& connection) {
    std::array<char, 16384> buffer{};
    while (true) {
        const ssize_t count = ::recv(connection.fd.get(), buffer.data(), buffer.size(), 0);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) return;
        if (count < 0) return finish_ended(connection, errno);
        if (count == 0) return finish_ended(connection, 0);
        switch (connection.response.feed({buffer.data(), static_cast<std::size_t>(count)})) {
            case ResponseReader::State::complete:
                return finish_answered(connection);
            case ResponseReader::State::malformed:
                return finish(connection, Outcome::malformed, "not a response");
            case ResponseReader::State::nothing:
            case ResponseReader::State::partial:
                break;
        }
    }
}

/// No request is outstanding: whatever comes is the end of the connection.
void IdleClient::read_idle(Connection& connection) {
    char byte = 0;
    const ssize_t count = ::recv(connection.fd.get(), &byte, 1, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    ++report_.closed_while_idle;
    note("closed_while_idle", count > 0    ? std::string("bytes nobody asked for")
                              : count == 0 ? std::string("end of file")
                                           : std::string(std::strerror(errno)));
    close(connection);
}

void IdleClient::finish_answered(Connection& connection) {
    const ResponseReader& response = connection.response;
    if (response.closes()) ++report_.announced_closes;
    if (response.status() != 200)
        return finish(connection, Outcome::answered_otherwise,
                      "status " + std::to_string(response.status()));
    const auto latency = Clock::now() - connection.started;
    latencies_us_.push_back(static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(latency).count()));
    if (const auto generation = response.field("Handover-Generation"))
        ++report_.generations[*generation];
    if (const auto pid = response.field("Handover-Pid")) ++report_.pids[*pid];
    finish(connection, Outcome::answered, "");
}

/// The connection ended (error 0: end of file) with a request outstanding.
void IdleClient::finish_ended(Connection& connection, int error) {
    if (error == 0 && connection.response.end() == ResponseReader::State::complete)
        return finish_answered(connection);
    const bool begun = connection.response.state() != ResponseReader::State::nothing;
    finish(connection,
           begun        ? Outcome::partial
           : error == 0 ? Outcome::closed
                        : Outcome::reset,
           error == 0 ? "end of file" : std::strerror(error));
}

/// Every request ends here, and every connect that failed.
void IdleClient::finish(Connection& connection, Outcome outcome, const std::string& detail) {
    ++report_.requests;
    ++report_.outcomes[std::string(name_of(outcome))];
    if (outcome != Outcome::answered) note(name_of(outcome), detail);
    const bool complete = outcome == Outcome::answered || outcome == Outcome::answered_otherwise;
    if (complete && !connection.response.closes())
        rest(connection);
    else
        close(connection);
}

/// Ends the requests that have waited too long.
void IdleClient::expire() {
    const auto limit = Clock::now() - options_.timeout;
    for (Connection& connection : connections_) {
        if (busy_ == 0) return;
        if (connection.started > limit) continue;
        if (connection.state == State::connecting)
            finish(connection, Outcome::timed_out, "not connected");
        else if (connection.state == State::waiting)
            finish(connection, Outcome::timed_out, "no complete answer");
    }
}

/// Takes the events that are there; waits for the first at most so long.
void IdleClient::handle_events(milliseconds at_most) {
    std::array<epoll_event, 256> events{};
    int count = 0;
    do {
        count = ::epoll_wait(epoll_.get(), events.data(), events.size(),
                             static_cast<int>(at_most.count()));
        if (count < 0 && errno != EINTR) fail("epoll_wait");
        for (int i = 0; i < count; ++i) {
            Connection& connection = connections_[events[static_cast<std::size_t>(i)].data.u64];
            if (connection.fd) handle(connection);
        }
        at_most = milliseconds(0);
    } while (count == static_cast<int>(events.size()));
}

void IdleClient::begin(Connection& connection, State state) {
    connection.started = Clock::now();
    connection.state = state;
    ++busy_;
}

void IdleClient::rest(Connection& connection) {
    connection.state = State::idle;
    --busy_;
}

void IdleClient::close(Connection& connection) {
    if (connection.state == State::connecting || connection.state == State::waiting) --busy_;
    if (connection.state == State::idle || connection.state == State::waiting) --open_;
    connection.state = State::absent;
    connection.fd.reset();
}

void IdleClient::note(std::string_view kind, const std::string& detail) {
    const auto same = std::count_if(report_.examples.begin(), report_.examples.end(),
                                    [&](const Incident& seen) { return seen.outcome == kind; });
    if (same >= examples_of_each_kind) return;
    const auto at = std::chrono::duration_cast<milliseconds>(Clock::now() - report_began_);
    report_.examples.push_back({at.count(), std::string(kind), detail});
}

}  // namespace handover::test
