// SPDX-License-Identifier: MIT
#include "http/message_stream.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

namespace handover::http {
namespace {

/// Reading this much that nobody wants is cheaper, for both sides, than a new connection.
constexpr std::uint64_t skip_bytes_max = 65536;

bool would_block() {
    return errno == EAGAIN || errno == EWOULDBLOCK;
}

}  // namespace

MessageStream::MessageStream(Connection& connection, ReceiveBuffer& input, const RequestHead& head,
                             const ServerOptions& options, SlowClientLimit& waits)
    : connection_(connection),
      input_(input),
      head_(head),
      options_(options),
      waits_(waits),
      left_(head.length_bytes) {}

void MessageStream::begin_body() {
    in_body_ = left_ == 0;
    if (head_.chunked) {
        framing_.emplace(options_.body_bytes_max);
    } else if (head_.websocket) {
        left_ = std::numeric_limits<std::uint64_t>::max();  // frames, for as long as it lasts
    } else {
        left_ = head_.content_length_bytes;
    }
}

/// httplib reads heads byte by byte through here: that has a way of its own.
ssize_t MessageStream::read(char* to, size_t size) {
    if (size == 1 && left_ > 0 && reading_ && !framing_ && !input_.empty()) {
        --left_;
        *to = *input_.data();
        input_.consume(1);
        return 1;
    }
    return read_some(to, size);
}

ssize_t MessageStream::read_some(char* to, size_t size) {
    if (at_end()) return 0;
    if (!reading_ || (input_.empty() && !receive())) return -1;
    size = std::min(size, input_.size());
    if (framing_) {
        size = framing_->advance(input_.data(), size);
        if (framing_->failed()) {
            input_broken_ = true;
            if (framing_->too_large()) body_fault_ = 413;
            return -1;
        }
    } else {
        size = static_cast<size_t>(std::min<std::uint64_t>(size, left_));
        left_ -= size;
    }
    std::memcpy(to, input_.data(), size);
    input_.consume(size);
    return static_cast<ssize_t>(size);
}

bool MessageStream::receive() {
    while (!broken()) {
        const ssize_t count = input_.fill(connection_.fd.get());
        if (count > 0) return true;
        // Somebody may be waiting for what we hold back before he sends more.
        input_broken_ = count == 0 || !would_block() || !flush() || !await_input();
    }
    return false;
}

bool MessageStream::await_input() const {
    const auto result = wait(POLLIN, read_deadline());
    if (result == Wait::stalled) body_fault_ = 408;
    return result == Wait::ready;
}

Clock::time_point MessageStream::read_deadline() const {
    if (read_timeout_) return Clock::now() + *read_timeout_;
    if (!deadline_) deadline_ = Clock::now() + options_.body_timeout;
    return *deadline_;
}

/// Only who is not ready needs a place: httplib asks before it writes, too.
MessageStream::Wait MessageStream::wait(short events, Clock::time_point until) const {
    const auto at_once = poll_until(events, Clock::time_point());
    if (at_once != Wait::stalled) return at_once;
    const SlowClientLimit::Place place(waits_);
    return place.taken() ? poll_until(events, until) : Wait::stalled;
}

MessageStream::Wait MessageStream::poll_until(short events, Clock::time_point until) const {
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
        constexpr std::int64_t most = std::numeric_limits<int>::max();
        pollfd entry{connection_.fd.get(), events, 0};
        const int ready =
            ::poll(&entry, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, most)));
        if (ready > 0)
            return (entry.revents & (POLLERR | POLLNVAL)) == 0 ? Wait::ready : Wait::failed;
        if (ready == 0) return Wait::stalled;
        if (errno != EINTR) return Wait::failed;
    }
}

bool MessageStream::is_writable() const {
    return !output_broken_ &&
           wait(POLLOUT, Clock::now() + options_.write_stall_timeout) == Wait::ready;
}

bool MessageStream::wait_readable() const {
    return at_end() || !input_.empty() || await_input();
}

/// A client that has ended its direction only (half-close) still wants its response.
bool MessageStream::is_peer_alive() const {
    pollfd entry{connection_.fd.get(), 0, 0};
    return !output_broken_ && ::poll(&entry, 1, 0) == 0;
}

ssize_t MessageStream::write(const char* from, size_t size) {
    if (std::exchange(corked_, false)) {
        const auto body = hold_head({from, size});
        head_bytes_ = held_.size();
        const bool sent = body.empty() || send_all(body.data(), body.size());
        return sent ? static_cast<ssize_t>(size) : -1;
    }
    if (!reading_ && head_bytes_ == 0) head_bytes_ = size;
    return send_all(from, size) ? static_cast<ssize_t>(size) : -1;
}

void MessageStream::cork(httplib::Headers& headers) {
    corked_ = true;
    headers_ = &headers;
    withheld_.swap(headers);
}

std::string_view MessageStream::hold_head(std::string_view head) {
    // Its headers are withheld, so this is the end of the status line.
    const auto end = head.find("\r\n\r\n");
    const bool has_empty_line = end != std::string_view::npos;
    // httplib 0.41 writes the body along with the head.
    const auto body = has_empty_line ? head.substr(end + 4) : std::string_view();
    if (has_empty_line) head = head.substr(0, end + 2);
    std::size_t size = head.size() + 2;
    for (const auto& [name, value] : withheld_) size += name.size() + value.size() + 4;
    held_.reserve(size);
    held_ = head;
    for (const auto& [name, value] : withheld_)
        held_.append(name).append(": ").append(value).append("\r\n");
    if (has_empty_line) held_ += "\r\n";
    headers_->swap(withheld_);  // the logger wants to see them
    return body;
}

bool MessageStream::flush() {
    corked_ = false;
    return held_.empty() || send_all(nullptr, 0);
}

/// What is held back and then these bytes.
bool MessageStream::send_all(const char* from, size_t size) {
    std::array<iovec, 2> parts{{{held_.data(), held_.size()}, {const_cast<char*>(from), size}}};
    size_t left = held_.size() + size;
    wrote_ = true;
    while (left > 0 && !output_broken_) {
        msghdr message{};
        message.msg_iov = parts.data();
        message.msg_iovlen = parts.size();
        const ssize_t sent = ::sendmsg(connection_.fd.get(), &message, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EINTR) continue;
            output_broken_ = !would_block() || !is_writable();
            continue;
        }
        left -= static_cast<size_t>(sent);
        sent_bytes_ += static_cast<size_t>(sent);
        auto taken = static_cast<size_t>(sent);
        for (auto& part : parts) {
            const size_t step = std::min(part.iov_len, taken);
            part.iov_base = static_cast<char*>(part.iov_base) + step;
            part.iov_len -= step;
            taken -= step;
        }
    }
    held_.clear();
    return !output_broken_;
}

bool MessageStream::much_left() const {
    if (at_end()) return false;
    // A client that still waits for our "100 Continue" will never send it.
    return head_.expects_continue || (!framing_ && left_ > skip_bytes_max);
}

bool MessageStream::skip_rest() {
    if (at_end()) return true;
    if (!in_body_ || much_left()) return false;
    reading_ = true;
    const auto until = Clock::now() + options_.linger;
    std::array<char, 4096> unwanted;
    for (std::uint64_t skipped = 0; !at_end() && skipped < skip_bytes_max;) {
        read_timeout_ = std::chrono::duration_cast<std::chrono::microseconds>(until - Clock::now());
        const ssize_t count = read(unwanted.data(), unwanted.size());
        if (count <= 0) return false;
        skipped += static_cast<std::uint64_t>(count);
    }
    return at_end();
}

void MessageStream::get_remote_ip_and_port(std::string& ip, int& port) const {
    ip = connection_.remote.ip();
    port = connection_.remote.port();
}

void MessageStream::get_local_ip_and_port(std::string& ip, int& port) const {
    if (!connection_.local.known()) connection_.local = SocketName::local_of(connection_.fd.get());
    ip = connection_.local.ip();
    port = connection_.local.port();
}

decltype(std::declval<const httplib::Stream&>().socket()) MessageStream::socket() const {
    return connection_.fd.get();
}

void MessageStream::set_read_timeout(time_t sec, time_t usec) {
    read_timeout_ = std::chrono::seconds(sec) + std::chrono::microseconds(usec);
}

}  // namespace handover::http
