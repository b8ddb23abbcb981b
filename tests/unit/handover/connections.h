// SPDX-License-Identifier: MIT
#pragma once

#include "handover/error.h"
#include "handover/parked_connection.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

namespace handover::test {

/// A connection as a server has it, and its client's end.
struct TestConnection {
    ParkedConnection parked;
    UniqueFd client;

    explicit TestConnection(const std::string& listener = "http", const std::string& unread = "") {
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0)
            throw os_error("socketpair", errno);
        parked = {UniqueFd(ends[0]), listener, unread};
        client.reset(ends[1]);
    }
};

/// Do the two ends still belong together?
inline bool is_connected_to(const UniqueFd& server, const UniqueFd& client) {
    char byte = 0;
    return ::send(client.get(), "x", 1, MSG_NOSIGNAL) == 1 &&
           ::recv(server.get(), &byte, 1, MSG_DONTWAIT) == 1 && byte == 'x';
}

/// Has the other end been closed?
inline bool is_closed(const UniqueFd& client) {
    char byte = 0;
    return ::recv(client.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

}  // namespace handover::test
