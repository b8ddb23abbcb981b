// SPDX-License-Identifier: MIT
// Connections in a message, and any packet with descriptors: whatever is refused is closed, what is
// accepted says the same after being packed again, and no descriptor is left behind.
//
// The first byte says how many descriptors come with the packet, which is the rest: the remainder
// of 5. If its highest bit is set, the last one is no stream socket.
#include "fuzzer.h"
#include "handover/connections/connection_message.h"
#include "handover/peer/channel.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using handover::Channel;
using handover::Message;
using handover::ParkedConnection;
using handover::UniqueFd;

namespace {

constexpr std::size_t descriptors_most = 4;
constexpr std::uint8_t last_is_no_stream = 0x80;

/// Descriptors, and the other end of each, which notices when nobody has them any more.
struct Descriptors {
    std::vector<UniqueFd> ours;
    std::vector<UniqueFd> others;

    explicit Descriptors(std::uint8_t wanted) {
        const std::size_t count = wanted % (descriptors_most + 1);
        for (std::size_t i = 0; i < count; ++i) {
            const bool last = i + 1 == count;
            const int type =
                last && (wanted & last_is_no_stream) != 0 ? SOCK_SEQPACKET : SOCK_STREAM;
            std::array<int, 2> ends{};
            require(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) == 0);
            ours.emplace_back(ends[0]);
            others.emplace_back(ends[1]);
        }
    }
    [[nodiscard]] bool all_closed() const {
        char byte = 0;
        for (const auto& other : others)
            if (::recv(other.get(), &byte, 1, MSG_DONTWAIT) != 0) return false;
        return true;
    }
};

/// The lowest number that is free; the same before and after if everything has been closed once.
int lowest_free() {
    const UniqueFd probe(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0));
    return probe.get();
}

/// Says the same again after having been packed.
void pack_again(std::vector<ParkedConnection> connections) {
    std::vector<std::pair<std::string, std::string>> before;
    std::deque<ParkedConnection> waiting;
    for (auto& connection : connections) {
        if (!fits_in_a_message(connection)) continue;
        before.emplace_back(connection.listener, connection.unread);
        waiting.push_back(std::move(connection));
    }
    std::vector<std::pair<std::string, std::string>> after;
    while (!waiting.empty()) {
        auto packed = pack(waiting);
        const auto bytes = encode(packed);
        require(bytes.size() <= Channel::most_bytes);
        auto again = handover::decode(bytes);
        require(again.has_value());
        again->fds = std::move(packed.fds);
        const auto unpacked = unpack(std::move(*again));
        require(unpacked.has_value());
        for (const auto& connection : *unpacked)
            after.emplace_back(connection.listener, connection.unread);
    }
    require(before == after);
}

void use(Message message, std::size_t descriptors) {
    require(message.fds.size() == descriptors);
    if (message.type == Message::Type::end) {
        const auto counts = handover::counts_of(message);
        require(handover::counts_of(handover::end_message(counts)) == counts);
    }
    auto connections = unpack(std::move(message));
    if (!connections) return;
    require(connections->size() == descriptors);
    pack_again(std::move(*connections));
}

void decode_and_unpack(std::uint8_t wanted, std::string_view bytes) {
    Descriptors descriptors(wanted);
    const auto count = descriptors.ours.size();
    if (auto message = handover::decode(bytes)) {
        message->fds = std::move(descriptors.ours);
        use(std::move(*message), count);
    }
    descriptors.ours.clear();
    require(descriptors.all_closed());
}

/// False if no socket takes it.
bool send_raw(const Channel& channel, std::string bytes, const std::vector<UniqueFd>& fds) {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(descriptors_most * sizeof(int))> control{};
    iovec part{bytes.data(), bytes.size()};
    msghdr packet{};
    packet.msg_iov = &part;
    packet.msg_iovlen = 1;
    if (!fds.empty()) {
        packet.msg_control = control.data();
        packet.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
        cmsghdr* rights = CMSG_FIRSTHDR(&packet);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
        for (std::size_t i = 0; i < fds.size(); ++i) {
            const int fd = fds[i].get();
            std::memcpy(CMSG_DATA(rights) + i * sizeof fd, &fd, sizeof fd);
        }
    }
    return ::sendmsg(channel.fd(), &packet, MSG_NOSIGNAL) >= 0;
}

void receive_packet(std::uint8_t wanted, std::string_view bytes) {
    Descriptors descriptors(wanted);
    const auto count = descriptors.ours.size();
    const auto [ours, theirs] = Channel::make_pair();
    if (!send_raw(ours, std::string(bytes), descriptors.ours)) return;
    descriptors.ours.clear();
    (void)theirs.is_stored();  // both look, and take nothing
    (void)theirs.is_abandoned();
    Message message;
    const auto received = theirs.receive(message);
    const bool readable = bytes.size() <= Channel::most_bytes && handover::decode(bytes);
    require((received == Channel::Received::message) == readable);
    if (readable)
        use(std::move(message), count);
    else
        require(received ==
                (bytes.empty() ? Channel::Received::closed : Channel::Received::refused));
    require(theirs.receive(message) == Channel::Received::nothing);
    require(descriptors.all_closed());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const int before = lowest_free();
    decode_and_unpack(data[0], bytes);
    receive_packet(data[0], bytes);
    require(lowest_free() == before);
    return 0;
}
