// SPDX-License-Identifier: MIT
#include "handover/base/descriptor.h"

#include "handover/error.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>

namespace handover {
namespace {

template <typename Value>
std::optional<Value> socket_option(int fd, int option) {
    Value value{};
    socklen_t length = sizeof value;
    if (::getsockopt(fd, SOL_SOCKET, option, &value, &length) != 0) return std::nullopt;
    return value;
}

std::string name_of_other_file(mode_t mode) {
    if (S_ISREG(mode)) return "a regular file";
    if (S_ISDIR(mode)) return "a directory";
    if (S_ISCHR(mode)) return "a character device";
    if (S_ISFIFO(mode)) return "a pipe";
    return "a descriptor that is neither a socket nor a file";
}

Descriptor examine_socket(int fd) {
    Descriptor result;
    result.cookie = socket_option<std::uint64_t>(fd, SO_COOKIE).value_or(0);
    const int type = socket_option<int>(fd, SO_TYPE).value_or(-1);
    const bool listening = socket_option<int>(fd, SO_ACCEPTCONN).value_or(0) != 0;
    if (type == SOCK_STREAM && listening) {
        result.endpoint = Endpoint::of_socket(fd);
        result.kind =
            result.endpoint ? Descriptor::Kind::stream_listener : Descriptor::Kind::other_socket;
        result.description = result.endpoint
                                 ? "a stream socket listening on " + result.endpoint->to_string()
                                 : "a listening socket that is neither IP nor unix";
    } else if (type == SOCK_STREAM) {
        result.kind = Descriptor::Kind::stream;
        result.description = "a stream socket that is not listening";
    } else if (type == SOCK_SEQPACKET) {
        result.kind = listening ? Descriptor::Kind::other_socket : Descriptor::Kind::seqpacket;
        result.description =
            listening ? "a listening sequential-packet socket" : "a sequential-packet socket";
    } else {
        result.kind = Descriptor::Kind::other_socket;
        result.description = type == SOCK_DGRAM ? "a datagram socket" : "a raw socket";
    }
    return result;
}

}  // namespace

Descriptor Descriptor::examine(int fd) {
    Descriptor result;
    struct stat status {};
    if (::fstat(fd, &status) != 0) {
        result.description = "not open";
        return result;
    }
    if (S_ISSOCK(status.st_mode)) return examine_socket(fd);
    // Only a memfd (or a tmpfs file) answers F_GET_SEALS (fcntl(2)).
    if (S_ISREG(status.st_mode) && ::fcntl(fd, F_GET_SEALS) >= 0) {
        result.kind = Kind::memory;
        result.description = "a memory file";
        return result;
    }
    result.kind = Kind::other;
    result.description = name_of_other_file(status.st_mode);
    return result;
}

void set_cloexec(int fd) {
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        throw os_error("cannot set CLOEXEC on descriptor " + std::to_string(fd), errno);
}

void set_nonblock(int fd) {
    const int status_flags = ::fcntl(fd, F_GETFL);
    if (status_flags < 0 || ::fcntl(fd, F_SETFL, status_flags | O_NONBLOCK) != 0)
        throw os_error("cannot set O_NONBLOCK on descriptor " + std::to_string(fd), errno);
}

}  // namespace handover
