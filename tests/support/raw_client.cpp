// SPDX-License-Identifier: MIT
#include "support/raw_client.h"

#include <poll.h>
#include <strings.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace handover::test {

std::optional<std::string> RawResponse::header(std::string_view name) const {
    std::string_view rest = head;
    while (!rest.empty()) {
        const auto end = std::min(rest.find("\r\n"), rest.size());
        const auto line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 2, rest.size()));
        if (line.size() <= name.size() || line[name.size()] != ':') continue;
        if (::strncasecmp(line.data(), name.data(), name.size()) != 0) continue;
        const auto value = line.find_first_not_of(' ', name.size() + 1);
        return value == std::string_view::npos ? std::string() : std::string(line.substr(value));
    }
    return std::nullopt;
}

bool RawResponse::says_close() const {
    return header("Connection") == "close";
}

RawClient::RawClient(const Endpoint& server, std::chrono::milliseconds within)
    : fd_(::socket(server.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)), within_(within) {
    if (!fd_) fail("no socket");
    while (::connect(fd_.get(), server.address(), server.address_length()) != 0)
        if (errno != EINTR) fail("cannot connect to " + server.to_string());
}

void RawClient::fail(const std::string& what) const {
    throw std::runtime_error(what + " (" + std::strerror(errno) + "); received so far: \"" +
                             pending_ + "\"");
}

std::chrono::steady_clock::time_point RawClient::deadline() const {
    return std::chrono::steady_clock::now() + within_;
}

void RawClient::send(std::string_view bytes) {
    const auto until = deadline();
    while (!bytes.empty()) {
        const ssize_t count =
            ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
        if (count >= 0 || errno == EINTR) continue;
        if (errno != EAGAIN || std::chrono::steady_clock::now() > until) fail("cannot send");
        pollfd entry{fd_.get(), POLLOUT, 0};
        (void)::poll(&entry, 1, static_cast<int>(within_.count()));
    }
}

void RawClient::end_sending() {
    if (::shutdown(fd_.get(), SHUT_WR) != 0) fail("cannot end sending");
}

void RawClient::reset() {
    const linger at_once{1, 0};
    (void)::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    fd_.reset();
}

bool RawClient::read_more(std::chrono::steady_clock::time_point deadline) {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        pollfd entry{fd_.get(), POLLIN, 0};
        const int ready = ::poll(&entry, 1, std::max(0, static_cast<int>(left.count())));
        if (ready == 0) {
            errno = ETIMEDOUT;
            fail("nothing more in time");
        }
        std::array<char, 16384> bytes;
        const ssize_t count = ready < 0 ? -1 : ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
        if (count > 0) pending_.append(bytes.data(), static_cast<std::size_t>(count));
        if (count >= 0) return count > 0;
        if (errno != EINTR) fail("cannot receive");
    }
}

std::string RawClient::take(std::size_t count, std::chrono::steady_clock::time_point deadline) {
    errno = 0;
    while (pending_.size() < count)
        if (!read_more(deadline)) fail("closed too early");
    std::string taken = pending_.substr(0, count);
    pending_.erase(0, count);
    return taken;
}

std::string RawClient::read_line(std::chrono::steady_clock::time_point deadline) {
    errno = 0;
    for (;;) {
        const auto end = pending_.find("\r\n");
        if (end != std::string::npos) return take(end + 2, deadline);
        if (!read_more(deadline)) fail("closed in the middle of a line");
    }
}

std::string RawClient::take_chunks(std::chrono::steady_clock::time_point deadline) {
    std::string body;
    for (;;) {
        const auto size = std::stoul(read_line(deadline), nullptr, 16);
        body += take(size, deadline);
        if (read_line(deadline) != "\r\n") fail("a chunk does not end");
        if (size == 0) return body;
    }
}

RawResponse RawClient::receive(bool to_head) {
    const auto until = deadline();
    RawResponse response;
    do response.head += read_line(until);
    while (!response.head.ends_with("\r\n\r\n") && response.head != "\r\n");
    if (!response.head.starts_with("HTTP/1.")) fail("no HTTP: " + response.head);
    response.status = std::stoi(response.head.substr(9, 3));
    const bool bodiless =
        to_head || response.status < 200 || response.status == 204 || response.status == 304;
    if (bodiless) return response;
    if (response.header("Transfer-Encoding")) {
        response.body = take_chunks(until);
    } else if (const auto length = response.header("Content-Length")) {
        response.body = take(std::stoul(*length), until);
    } else {
        response.body = receive_to_end();
    }
    return response;
}

RawResponse RawClient::get(std::string_view path) {
    send("GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return receive();
}

std::string RawClient::receive_to_end() {
    const auto until = deadline();
    while (read_more(until)) continue;
    return std::exchange(pending_, {});
}

std::string RawClient::receive_bytes(std::size_t count) {
    return take(count, deadline());
}

bool RawClient::closed_by_server() {
    const auto until = deadline();
    return pending_.empty() && !read_more(until);
}

bool RawClient::cut_by_server() {
    pollfd entry{fd_.get(), POLLIN, 0};
    const bool ended = ::poll(&entry, 1, static_cast<int>(within_.count())) == 1;
    char byte = 0;
    const ssize_t count = ended ? ::recv(fd_.get(), &byte, 1, 0) : -1;
    return pending_.empty() && (count == 0 || (count < 0 && errno == ECONNRESET));
}

bool RawClient::is_quiet() const {
    pollfd entry{fd_.get(), POLLIN, 0};
    return pending_.empty() && ::poll(&entry, 1, 0) == 0;
}

}  // namespace handover::test
