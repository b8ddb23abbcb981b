// SPDX-License-Identifier: MIT
#include "http/acceptor.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace handover::http {
namespace {

/// Few enough that a worker soon serves again, and that stop() does not wait long.
constexpr int batch_max = 64;
/// More than any queue holds; a bound in case clients come faster than we accept.
constexpr int queue_max = 65536;
constexpr std::chrono::milliseconds pause_time{100};

}  // namespace

void Acceptor::start(const std::vector<const Listener*>& listeners) {
    const std::lock_guard lock(mutex_);
    stop_locked();
    for (const Listener* listener : listeners) {
        const auto family = listener->endpoint.family();
        sockets_.push_back({listener->fd.get(), name_index(listener->name),
                            family == AF_INET || family == AF_INET6, listener->detached});
        arm(sockets_.size() - 1, EPOLL_CTL_ADD);
    }
}

std::uint16_t Acceptor::name_index(const std::string& name) {
    const auto found = std::find(names_.begin(), names_.end(), name);
    const auto index = found - names_.begin();
    if (found == names_.end()) names_.push_back(name);
    return static_cast<std::uint16_t>(index);
}

std::uint16_t Acceptor::number_of(const std::string& listener) {
    const std::lock_guard lock(mutex_);
    return name_index(listener);
}

std::string Acceptor::name_of(std::uint16_t number) {
    const std::lock_guard lock(mutex_);
    return names_[number];
}

void Acceptor::stop() {
    const std::lock_guard lock(mutex_);
    stop_locked();
}

void Acceptor::stop_locked() {
    for (const ListenSocket& door : sockets_)
        (void)::epoll_ctl(epoll_, EPOLL_CTL_DEL, door.fd, nullptr);
    sockets_.clear();
    paused_ = 0;
}

void Acceptor::accept_queued_and_stop() {
    const std::lock_guard lock(mutex_);
    for (ListenSocket& door : sockets_) {
        for (int i = 0; i < queue_max; ++i) {
            const Outcome outcome = accept_one(door);
            if (outcome != Outcome::accepted && outcome != Outcome::transient) break;
        }
    }
    stop_locked();
}

void Acceptor::accept_from(std::uint64_t event_data) {
    const std::lock_guard lock(mutex_);
    const auto number = static_cast<std::size_t>(event_data);
    if (number >= sockets_.size()) return;  // stopped meanwhile
    ListenSocket& door = sockets_[number];
    for (int i = 0; i < batch_max; ++i) {
        switch (accept_one(door)) {
            case Outcome::accepted:
            case Outcome::transient:
                continue;
            case Outcome::queue_empty:
                return arm(number, EPOLL_CTL_MOD);
            case Outcome::out_of_resources:
                return pause(door);
            case Outcome::dead:
                return;
        }
    }
    arm(number, EPOLL_CTL_MOD);  // there may be more, let another worker look
}

void Acceptor::report_again(std::uint64_t event_data) {
    const std::lock_guard lock(mutex_);
    if (event_data < sockets_.size()) arm(static_cast<std::size_t>(event_data), EPOLL_CTL_MOD);
}

Acceptor::Outcome Acceptor::accept_one(ListenSocket& door) {
    sockaddr_storage remote{};
    socklen_t length = sizeof remote;
    UniqueFd fd(::accept4(door.fd, reinterpret_cast<sockaddr*>(&remote), &length,
                          SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd) {
        door.in_trouble = false;
        if (admits_ && !admits_(fd.get())) return Outcome::transient;
        if (door.tcp) {
            const int on = 1;
            (void)::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        }
        if (table_.admit(std::move(fd), door.name, SocketName(remote), {}, door.detached))
            return Outcome::accepted;
        report(door, ENOMEM);
        return Outcome::out_of_resources;
    }
    const int error = errno;
    switch (error) {
        case EAGAIN:
            return Outcome::queue_empty;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
            report(door, error);
            return Outcome::out_of_resources;
        case EBADF:
        case EFAULT:
        case EINVAL:  // somebody has called shutdown() on it
        case ENOTSOCK:
            report(door, error);
            return Outcome::dead;
        default:
            return Outcome::transient;  // that connection's own fate (accept(2), Error handling)
    }
}

void Acceptor::report(ListenSocket& door, int error) {
    if (std::exchange(door.in_trouble, true)) return;
    on_error_("cannot accept on listener '" + names_[door.name] + "': " + ::strerrordesc_np(error));
}

void Acceptor::pause(ListenSocket& door) {
    if (door.resume_at == Clock::time_point::max()) ++paused_;
    door.resume_at = Clock::now() + pause_time;
}

bool Acceptor::resume(Clock::time_point now) {
    if (!paused()) return false;
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < sockets_.size(); ++i) {
        if (sockets_[i].resume_at > now) continue;
        sockets_[i].resume_at = Clock::time_point::max();
        --paused_;
        arm(i, EPOLL_CTL_MOD);
    }
    return paused();
}

/// One event wakes one worker, which accepts a batch and arms again.
void Acceptor::arm(std::size_t number, int operation) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLONESHOT;
    event.data.u64 = number;
    ListenSocket& door = sockets_[number];
    if (::epoll_ctl(epoll_, operation, door.fd, &event) != 0) report(door, errno);
}

}  // namespace handover::http
