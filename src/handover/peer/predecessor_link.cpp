// SPDX-License-Identifier: MIT
#include "handover/peer/predecessor_link.h"

#include "handover/error.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

namespace handover {
namespace {

/// Of the process that made the pair (SO_PEERCRED, unix(7)); empty if there is none to be had.
UniqueFd pidfd_of_peer(int fd) {
    ucred peer{};
    socklen_t length = sizeof peer;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 || peer.pid <= 0)
        return UniqueFd();
    return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, peer.pid, 0)));
}

}  // namespace

PredecessorLink::PredecessorLink(EventLoop& loop, Channel channel, Callbacks callbacks)
    : loop_(loop), channel_(std::move(channel)), callbacks_(std::move(callbacks)) {}

PredecessorLink::~PredecessorLink() {
    loop_.forget(channel_.fd());
}

void PredecessorLink::greet(const Message& hello) {
    Message its_hello;
    if (channel_.receive(its_hello) != Channel::Received::message ||
        its_hello.type != Message::Type::hello)
        throw Error(Error::Kind::config,
                    "the inherited 'channel' does not begin with a hello: it comes from no "
                    "generation that this version can take over from");
    generation_ = its_hello.number(Message::Tag::generation);
    protocol_ = its_hello.number(Message::Tag::protocol);
    its_pidfd_ = pidfd_of_peer(channel_.fd());
    (void)channel_.send(hello);  // should it be gone, the loop will see that
    loop_.watch(channel_.fd(), [this] { on_channel(); });
}

void PredecessorLink::say_ready() const {
    (void)channel_.send(Message::of(Message::Type::ready));
}

void PredecessorLink::say(Message::Type what) const {
    // If it does not get through, the predecessor is on its way out or sees our end.
    (void)channel_.send(Message::of(what));
}

void PredecessorLink::say_drain_quota(std::uint64_t count) const {
    if (protocol_ < probation_version) return;
    auto message = Message::of(Message::Type::drain_quota);
    message.fields.emplace_back(Message::Tag::count, std::to_string(count));
    (void)channel_.send(message);
}

void PredecessorLink::refuse(const std::string& reason) const {
    // If it does not get through, the exit status has to do.
    (void)channel_.send(Message::failed(reason));
}

void PredecessorLink::read_all() {
    while (!gone_ && on_channel()) continue;
    if (!gone_ && predecessor_is_dead()) on_gone();
}

bool PredecessorLink::predecessor_is_dead() const {
    pollfd ended{its_pidfd_.get(), POLLIN, 0};
    return its_pidfd_ && ::poll(&ended, 1, 0) == 1;
}

/// False if nothing was there.
bool PredecessorLink::on_channel() {
    Message message;
    switch (channel_.receive(message)) {
        case Channel::Received::nothing:
            return false;
        case Channel::Received::message:
            on_message(std::move(message));
            return true;
        case Channel::Received::closed:
            on_gone();
            return true;
        case Channel::Received::refused:
            if (going_)
                callbacks_.on_unreadable();
            else
                on_gone();
            return true;
    }
    __builtin_unreachable();
}

void PredecessorLink::on_message(Message message) {
    if (!going_) {
        if (message.type != Message::Type::go) return;
        going_ = true;
        callbacks_.on_go();
        if (protocol_ < probation_version) on_promoted();
        return;
    }
    if (message.type == Message::Type::promoted) {
        on_promoted();
    } else if (message.type == Message::Type::health_check) {
        callbacks_.on_health_check();
    } else {
        all_arrived_ = all_arrived_ || message.type == Message::Type::end;
        callbacks_.on_arrived(std::move(message));
    }
    if (all_arrived_ && promoted_) on_gone();
}

void PredecessorLink::on_promoted() {
    if (!std::exchange(promoted_, true)) callbacks_.on_promoted();
}

void PredecessorLink::on_gone() {
    gone_ = true;
    loop_.forget(channel_.fd());
    return going_ ? callbacks_.on_ended() : callbacks_.on_lost();
}

}  // namespace handover
