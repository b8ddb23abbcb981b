// SPDX-License-Identifier: MIT
#include "handover/listeners/bind_listener.h"

#include "handover/base/network_sandbox.h"
#include "handover/base/socket_owner.h"
#include "handover/error.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>

namespace handover {
namespace {

constexpr int backlog = 4096;
/// What the field in the header can hold.
constexpr int most_hops = 255;

/// Is there a live listener behind this path? A full queue (EAGAIN) is a live one.
bool somebody_answers(const Endpoint& endpoint) {
    UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    return !probe || ::connect(probe.get(), endpoint.address(), endpoint.address_length()) == 0 ||
           (errno != ECONNREFUSED && errno != ENOENT);
}

/// A path outlives its socket (unix(7)). Removes one that nobody answers on.
void remove_stale_path(const Endpoint& endpoint) {
    const auto path = endpoint.unix_path();
    struct stat status {};
    if (path.empty() || ::lstat(path.c_str(), &status) != 0) return;
    if (S_ISSOCK(status.st_mode) && !somebody_answers(endpoint)) ::unlink(path.c_str());
}

std::string cannot_listen(const WantedListener& wanted) {
    return "cannot listen on " + wanted.endpoint.to_string() + " ('" + wanted.name + "')";
}

Error cannot_listen(const WantedListener& wanted, int error_number) {
    std::string what = cannot_listen(wanted);
    if (error_number == EADDRINUSE) {
        const auto holder = holder_of(wanted.endpoint);
        if (!holder.empty()) what += ", held by " + holder;
    }
    return os_error(what, error_number);
}

UniqueFd make_socket(const WantedListener& wanted) {
    UniqueFd fd(::socket(wanted.endpoint.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) throw cannot_listen(wanted, errno);
    const int on = 1;
    const int off = 0;
    if (wanted.endpoint.family() != AF_UNIX &&
        ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
        throw cannot_listen(wanted, errno);
    if (wanted.endpoint.family() == AF_INET6 &&
        ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0)
        throw cannot_listen(wanted, errno);
    return fd;
}

void refuse_out_of_reach(const WantedListener& wanted) {
    const auto why = why_out_of_reach(wanted.endpoint);
    if (why.empty()) return;
    throw Error(Error::Kind::config,
                cannot_listen(wanted) + ": " + why +
                    "; let a .socket unit listen there, or open the network to the service with "
                    "PrivateNetwork=no, RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 and "
                    "IPAddressDeny=");
}

bool kernel_has_ipv6() {
    return UniqueFd(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)) || errno != EAFNOSUPPORT;
}

WantedListener without_ipv6(WantedListener wanted) {
    wanted.endpoint = Endpoint::parse("0.0.0.0:" + std::to_string(wanted.endpoint.port()));
    return wanted;
}

/// Packets that may have come by more routers than that are dropped. IPv6 sockets take IPv4, too.
void set_hops_left_min(int fd, int hops) {
    (void)::setsockopt(fd, IPPROTO_IP, IP_MINTTL, &hops, sizeof hops);
    (void)::setsockopt(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, &hops, sizeof hops);
}

}  // namespace

Listener bind_listener(const WantedListener& wanted) {
    refuse_out_of_reach(wanted);
    if (wanted.default_only && wanted.endpoint.family() == AF_INET6 && !kernel_has_ipv6())
        return bind_listener(without_ipv6(wanted));
    UniqueFd fd = make_socket(wanted);
    remove_stale_path(wanted.endpoint);
    if (::bind(fd.get(), wanted.endpoint.address(), wanted.endpoint.address_length()) != 0)
        throw cannot_listen(wanted, errno);
    const auto path = wanted.endpoint.unix_path();
    if (wanted.unix_mode && !path.empty() && ::chmod(path.c_str(), *wanted.unix_mode) != 0)
        throw cannot_listen(wanted, errno);
    if (::listen(fd.get(), backlog) != 0) throw cannot_listen(wanted, errno);
    const auto bound = Endpoint::of_socket(fd.get());
    if (!bound) throw cannot_listen(wanted, errno);
    return {wanted.name, *bound, std::move(fd), /*inherited=*/false};
}

void refuse_new_connections(const Listener& listener) {
    if (const auto path = listener.endpoint.unix_path(); !path.empty()) ::unlink(path.c_str());
    if (listener.endpoint.family() == AF_UNIX) return;
    // A socket filter sees a TCP segment from its header on; byte 13 holds the flags (RFC 9293,
    // 3.1). The ACK that ends a handshake passes, so one that had begun is in the queue.
    constexpr std::uint32_t flags_offset = 13;
    constexpr std::uint32_t syn = 0x02;
    constexpr std::uint32_t ack = 0x10;
    std::array<sock_filter, 5> program{{
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, flags_offset),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, syn | ack),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, syn, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    }};
    const sock_fprog filter{program.size(), program.data()};
    if (::setsockopt(listener.fd.get(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0)
        return;
    // There are kernels that want CAP_NET_ADMIN for it. Systems send with 64 or 128 hops left, so
    // this drops all SYNs as well; but a connection inherits it of which the handshake ends now. If
    // that fails, too, who comes between the last accept and close is reset: not worth an error.
    set_hops_left_min(listener.fd.get(), most_hops);
}

void admit_new_connections(int fd) {
    const int unused = 0;
    (void)::setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused);
    set_hops_left_min(fd, 0);
}

}  // namespace handover
