// SPDX-License-Identifier: MIT
#include "support/load_client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
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

constexpr auto connect_pause = milliseconds(10);
constexpr auto expire_every = milliseconds(50);
constexpr int examples_of_each_kind = 5;

double milliseconds_of(std::chrono::steady_clock::duration time) {
    return std::chrono::duration<double, std::milli>(time).count();
}

}  // namespace

LoadClient::LoadClient(LoadOptions options)
    : options_(std::move(options)),
      request_(request_text(options_.request, options_.keep_alive)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      connections_(options_.connections) {
    if (!epoll_) throw std::system_error(errno, std::generic_category(), "epoll_create1");
    for (std::size_t i = 0; i < connections_.size(); ++i) free_.push_back(i);
}

void LoadClient::watch(int fd, std::function<bool()> callback) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = connections_.size() + watches_.size();
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
        throw std::system_error(errno, std::generic_category(), "cannot watch a descriptor");
    watches_.push_back(std::move(callback));
    watched_.push_back(fd);
}

void LoadClient::stop() {
    if (!stopped_) stopped_ = Clock::now();
}

void LoadClient::run() {
    ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);  // the default lets a timer be 50 us late
    start_ = Clock::now();
    while (true) {
        if (begun_ >= options_.max_requests || Clock::now() - start_ >= options_.duration) stop();
        if (stopped_ && free_.size() == connections_.size()) return;
        if (!stopped_) start_due_requests();
        expire();
        wait_for_events();
    }
}

LoadClient::Clock::time_point LoadClient::next_due() const {
    if (options_.rate <= 0) return paused_until_;
    const std::chrono::duration<double> offset(static_cast<double>(begun_) / options_.rate);
    return start_ + std::chrono::duration_cast<Clock::duration>(offset);
}

void LoadClient::start_due_requests() {
    // Those that are free now, once each: one that fails at once comes back into the queue.
    for (std::size_t candidates = free_.size(); candidates > 0; --candidates) {
        const auto now = Clock::now();
        const auto due = next_due();
        if (due > now || begun_ >= options_.max_requests) return;
        Connection& connection = connections_[free_.front()];
        free_.pop_front();
        start_request(connection, options_.rate > 0 ? due : now);
    }
}

void LoadClient::start_request(Connection& connection, Clock::time_point due) {
    ++begun_;
    connection.due = due;
    connection.started = Clock::now();
    connection.sent = 0;
    connection.response = ResponseReader();
    if (connection.state == State::idle) {
        ++connection.requests;
        connection.state = State::waiting;
        send_request(connection);
    } else {
        open(connection);
    }
}

void LoadClient::open(Connection& connection) {
    connection.fd.reset(
        ::socket(options_.target.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!connection.fd) throw std::system_error(errno, std::generic_category(), "socket");
    if (options_.target.family() != AF_UNIX) {
        const int on = 1;
        ::setsockopt(connection.fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    if (options_.keep_alive && connection.opened_before) ++report_.reconnects;
    connection.opened_before = true;
    connection.requests = 1;
    connection.state = State::connecting;

    const int result =
        ::connect(connection.fd.get(), options_.target.address(), options_.target.address_length());
    const int error = result == 0 ? 0 : errno;
    if (error != 0 && error != EINPROGRESS) {
        paused_until_ = Clock::now() + connect_pause;
        finish(connection, error == ECONNREFUSED ? Outcome::refused : Outcome::connect_failed,
               std::string("connect: ") + std::strerror(error));
        return;
    }
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.u64 = static_cast<std::uint64_t>(&connection - connections_.data());
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection.fd.get(), &event) != 0)
        throw std::system_error(errno, std::generic_category(), "epoll_ctl");
}

/// Something happened on this connection (edge-triggered: take all there is).
void LoadClient::handle(Connection& connection) {
    if (connection.state == State::connecting) {
        int error = 0;
        socklen_t length = sizeof error;
        ::getsockopt(connection.fd.get(), SOL_SOCKET, SO_ERROR, &error, &length);
        if (error != 0) {
            paused_until_ = Clock::now() + connect_pause;
            finish(connection, error == ECONNREFUSED ? Outcome::refused : Outcome::connect_failed,
                   std::string("connect: ") + std::strerror(error));
            return;
        }
        // An edge may come before the connection stands; getpeername(2) knows.
        sockaddr_storage peer{};
        socklen_t size = sizeof peer;
        if (::getpeername(connection.fd.get(), reinterpret_cast<sockaddr*>(&peer), &size) != 0)
            return;
        ++report_.connections_opened;
        connection.state = State::waiting;
    }
    if (connection.state == State::waiting) {
        if (connection.sent < request_.size()) send_request(connection);
        if (connection.state == State::waiting) read_response(connection);
    }
    // Also straight after a response: the end of the connection may have come in the same edge.
    if (connection.state == State::idle) read_idle(connection);
}

void LoadClient::send_request(Connection& connection) {
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
    if (++sent_ == options_.max_requests && on_all_sent_) on_all_sent_();
}

void LoadClient::read_response(Connection& connection) {
    std::array<char, 16384> buffer{};
    while (true) {
        const ssize_t count = ::recv(connection.fd.get(), buffer.data(), buffer.size(), 0);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) return;
        if (count < 0) return finish_ended(connection, errno);
        if (count == 0) return finish_ended(connection, 0);
        switch (connection.response.feed({buffer.data(), static_cast<std::size_t>(count)})) {
            case ResponseReader::State::complete:
                return finish_complete(connection);
            case ResponseReader::State::malformed:
                return finish(connection, Outcome::malformed,
                              "got " + std::string(buffer.data(),
                                                   std::min<std::size_t>(40, std::size_t(count))));
            case ResponseReader::State::nothing:
            case ResponseReader::State::partial:
                break;
        }
    }
}

/// No request is outstanding: whatever comes is the end of the connection.
void LoadClient::read_idle(Connection& connection) {
    char byte = 0;
    const ssize_t count = ::recv(connection.fd.get(), &byte, 1, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    ++report_.closed_while_idle;
    note("closed_while_idle", (count > 0    ? std::string("bytes nobody asked for")
                               : count == 0 ? std::string("end of file")
                                            : std::string(std::strerror(errno))) +
                                  " after request " + std::to_string(connection.requests));
    connection.fd.reset();
    connection.state = State::absent;
}

void LoadClient::finish_complete(Connection& connection) {
    const ResponseReader& response = connection.response;
    if (response.status() != 200)
        return finish(connection, Outcome::answered_otherwise,
                      "status " + std::to_string(response.status()));
    if (const auto generation = response.field("Handover-Generation"))
        ++report_.generations[*generation];
    if (const auto pid = response.field("Handover-Pid")) ++report_.pids[*pid];
    finish(connection, Outcome::answered, "");
    if (on_answer_) on_answer_();
}

/// The connection ended (error 0: end of file) with a request outstanding.
void LoadClient::finish_ended(Connection& connection, int error) {
    if (error == 0 && connection.response.end() == ResponseReader::State::complete)
        return finish_complete(connection);
    const bool begun = connection.response.state() != ResponseReader::State::nothing;
    finish(connection,
           begun        ? Outcome::partial
           : error == 0 ? Outcome::closed
                        : Outcome::reset,
           error == 0 ? "end of file" : std::strerror(error));
}

void LoadClient::finish(Connection& connection, Outcome outcome, const std::string& detail) {
    const auto now = Clock::now();
    ++report_.requests;
    ++report_.outcomes[std::string(name_of(outcome))];
    if (outcome == Outcome::answered) {
        const auto latency = now - (options_.rate > 0 ? connection.due : connection.started);
        latencies_us_.push_back(static_cast<std::uint32_t>(
            std::chrono::duration_cast<std::chrono::microseconds>(latency).count()));
        if (last_answer_)
            report_.longest_gap_ms =
                std::max(report_.longest_gap_ms, milliseconds_of(now - *last_answer_));
        last_answer_ = now;
    } else {
        const auto after = std::llround(milliseconds_of(now - connection.started));
        note(name_of(outcome), detail + " after " + std::to_string(after) + " ms, request " +
                                   std::to_string(connection.requests) + " of its connection");
        const bool lost = outcome != Outcome::answered_otherwise && outcome != Outcome::refused &&
                          outcome != Outcome::connect_failed;
        if (lost && connection.requests == 1) ++report_.lost_on_fresh_connection;
    }

    const bool complete = outcome == Outcome::answered || outcome == Outcome::answered_otherwise;
    const bool closes = complete && connection.response.closes();
    if (closes && options_.keep_alive) ++report_.announced_closes;
    if (complete && options_.keep_alive && !closes) {
        connection.state = State::idle;
    } else {
        connection.fd.reset();
        connection.state = State::absent;
    }
    free_.push_back(static_cast<std::size_t>(&connection - connections_.data()));
}

/// Ends the requests that have waited too long, or all of them when the drain is over.
void LoadClient::expire() {
    const auto now = Clock::now();
    if (now - last_expire_ < expire_every) return;
    last_expire_ = now;
    const bool drained = stopped_ && now - *stopped_ > options_.drain;
    for (Connection& connection : connections_) {
        if (connection.state != State::connecting && connection.state != State::waiting) continue;
        if (drained || now - connection.started > options_.timeout)
            finish(connection, Outcome::timed_out,
                   connection.state == State::connecting ? "not connected" : "no complete answer");
    }
}

void LoadClient::wait_for_events() {
    auto wake = Clock::now() + expire_every;
    if (!stopped_ && !free_.empty()) wake = std::min(wake, next_due());
    const auto left = std::max(Clock::duration(0), wake - Clock::now());
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec timeout{static_cast<time_t>(seconds.count()),
                           static_cast<long>((left - seconds).count())};

    std::array<epoll_event, 256> events{};
    const int count = ::epoll_pwait2(epoll_.get(), events.data(), events.size(), &timeout, nullptr);
    if (count < 0 && errno != EINTR)
        throw std::system_error(errno, std::generic_category(), "epoll_pwait2");
    for (int i = 0; i < count; ++i) {
        const std::size_t index = events[static_cast<std::size_t>(i)].data.u64;
        if (index < connections_.size()) {
            // One that an earlier callback closed has no descriptor left to ask.
            if (connections_[index].fd) handle(connections_[index]);
        } else if (!watches_[index - connections_.size()]()) {
            ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, watched_[index - connections_.size()],
                        nullptr);
        }
    }
}

void LoadClient::note(std::string_view kind, const std::string& detail) {
    auto entry = noted_.find(kind);
    if (entry == noted_.end()) entry = noted_.emplace(kind, 0).first;
    if (++entry->second > examples_of_each_kind) return;
    const auto at = std::chrono::duration_cast<milliseconds>(Clock::now() - start_);
    report_.examples.push_back({at.count(), std::string(kind), detail});
}

LoadReport LoadClient::report() const {
    LoadReport result = report_;
    result.set_latencies(latencies_us_);
    return result;
}

LoadReport LoadClient::counts() const {
    LoadReport result;
    result.outcomes = report_.outcomes;
    result.requests = report_.requests;
    result.lost_on_fresh_connection = report_.lost_on_fresh_connection;
    result.connections_opened = report_.connections_opened;
    result.reconnects = report_.reconnects;
    result.closed_while_idle = report_.closed_while_idle;
    result.announced_closes = report_.announced_closes;
    result.examples = report_.examples;
    return result;
}

}  // namespace handover::test
