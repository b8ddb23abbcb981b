// SPDX-License-Identifier: MIT
#include "handover/peer/channel.h"

#include "handover/base/parse_number.h"
#include "handover/error.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace handover {
namespace {

/// Owns every descriptor of the packet before anything about it is judged.
std::vector<UniqueFd> own_descriptors(msghdr& packet) {
    std::vector<UniqueFd> fds;
    for (cmsghdr* part = CMSG_FIRSTHDR(&packet); part; part = CMSG_NXTHDR(&packet, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
            fds.emplace_back(fd);
        }
    }
    return fds;
}

/// As SCM_CREDENTIALS says (unix(7)), about which the kernel lets nobody but root lie. It has no
/// number for a process of another pid namespace.
pid_t sender_of(msghdr& packet) {
    for (cmsghdr* part = CMSG_FIRSTHDR(&packet); part; part = CMSG_NXTHDR(&packet, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_CREDENTIALS) continue;
        ucred sender{};
        std::memcpy(&sender, CMSG_DATA(part), sizeof sender);
        return sender.pid > 0 ? sender.pid : Channel::nobody_we_know;
    }
    return 0;
}

}  // namespace

std::pair<Channel, Channel> Channel::make_pair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        throw os_error("cannot make a channel to the successor", errno);
    return {Channel(UniqueFd(ends[0])), Channel(UniqueFd(ends[1]))};
}

Channel Channel::duplicate() const {
    const int copy = ::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0);
    if (copy < 0) throw os_error("cannot duplicate a channel", errno);
    return Channel(UniqueFd(copy));
}

Channel::Sent Channel::send(const Message& message) const {
    auto bytes = encode(message);
    alignas(cmsghdr) std::array<char, CMSG_SPACE(most_fds * sizeof(int))> control{};
    iovec part{bytes.data(), bytes.size()};
    msghdr packet{};
    packet.msg_iov = &part;
    packet.msg_iovlen = 1;
    if (!message.fds.empty()) {
        packet.msg_control = control.data();
        packet.msg_controllen = CMSG_SPACE(message.fds.size() * sizeof(int));
        cmsghdr* rights = CMSG_FIRSTHDR(&packet);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(message.fds.size() * sizeof(int));
        for (std::size_t i = 0; i < message.fds.size(); ++i) {
            const int fd = message.fds[i].get();
            std::memcpy(CMSG_DATA(rights) + i * sizeof fd, &fd, sizeof fd);
        }
    }
    ssize_t sent = 0;
    do sent = ::sendmsg(fd_.get(), &packet, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent >= 0) return Sent::sent;  // a packet goes whole or not at all
    switch (errno) {
        case EAGAIN:
            return Sent::full;
        case ENOBUFS:
        case ENOMEM:
        case ETOOMANYREFS:
            return Sent::limit;
        default:
            return Sent::closed;
    }
}

bool Channel::hung_up() const {
    pollfd state{fd_.get(), 0, 0};
    return ::poll(&state, 1, 0) == 1 && (state.revents & POLLHUP) != 0;
}

bool Channel::is_stored() const {
    Message first;
    return peek(first) == Received::message && first.type == Message::Type::hello &&
           !first.field(Message::Tag::stored).empty();
}

bool Channel::is_abandoned() const {
    Message first;
    return hung_up() && (peek(first) != Received::message || first.type != Message::Type::hello);
}

void Channel::note_senders() const {
    const int on = 1;
    if (::setsockopt(fd_.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0)
        throw os_error("cannot ask who sends over a channel", errno);
}

Channel::Received Channel::receive(Message& message) const {
    pid_t unused = 0;
    return receive(message, unused, 0);
}

Channel::Received Channel::receive(Message& message, pid_t& sender) const {
    return receive(message, sender, 0);
}

Channel::Received Channel::peek(Message& message) const {
    pid_t unused = 0;
    return receive(message, unused, MSG_PEEK);
}

Channel::Received Channel::receive(Message& message, pid_t& sender, int flags) const {
    constexpr std::size_t most_control =
        CMSG_SPACE(Channel::most_fds * sizeof(int)) + CMSG_SPACE(sizeof(ucred));
    std::string bytes(Channel::most_bytes, '\0');
    alignas(cmsghdr) std::array<char, most_control> control{};
    iovec part{bytes.data(), bytes.size()};
    msghdr packet{};
    packet.msg_iov = &part;
    packet.msg_iovlen = 1;
    packet.msg_control = control.data();
    packet.msg_controllen = control.size();
    ssize_t size = 0;
    do size = ::recvmsg(fd_.get(), &packet, flags | MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    while (size < 0 && errno == EINTR);
    if (size < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? Received::nothing : Received::closed;
    auto fds = own_descriptors(packet);
    sender = sender_of(packet);
    // Nobody sends the end; of an empty packet it is known who has.
    if (size == 0) return sender == 0 ? Received::closed : Received::refused;
    if ((packet.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return Received::refused;
    auto decoded = decode({bytes.data(), static_cast<std::size_t>(size)});
    if (!decoded) return Received::refused;
    message = std::move(*decoded);
    message.fds = std::move(fds);
    return Received::message;
}

}  // namespace handover
