// SPDX-License-Identifier: MIT
#include "handover/connections/connection_message.h"

#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

namespace handover {
namespace {

using Tag = Message::Tag;

constexpr std::size_t longest_field = 65535;
/// Enough to send thousands of idle connections in a few messages, little enough for the default
/// socket buffer to take several.
constexpr std::size_t full_at_bytes = std::size_t{48} * 1024;
constexpr std::size_t unread_most = std::size_t{100} * 1024;
constexpr std::size_t listener_most = 4096;
constexpr std::string_view held = "held";

std::size_t size_in_message(const ParkedConnection& connection) {
    return connection.listener.size() + connection.unread.size() + 16;
}

bool is_stream_socket(int fd) {
    int type = 0;
    socklen_t size = sizeof type;
    return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

}  // namespace

bool fits_in_a_message(const ParkedConnection& connection) {
    return connection.unread.size() <= unread_most && connection.listener.size() <= listener_most;
}

Message pack(std::deque<ParkedConnection>& waiting) {
    Message message;
    message.type = Message::Type::connections;
    std::size_t size = 0;
    while (!waiting.empty() && message.fds.size() < Channel::most_fds) {
        auto& next = waiting.front();
        size += size_in_message(next);
        if (size > full_at_bytes && !message.fds.empty()) break;
        message.fields.emplace_back(Tag::listener, std::move(next.listener));
        for (std::size_t at = 0; at < next.unread.size(); at += longest_field)
            message.fields.emplace_back(Tag::unread, next.unread.substr(at, longest_field));
        message.fds.push_back(std::move(next.fd));
        waiting.pop_front();
    }
    return message;
}

std::optional<std::vector<ParkedConnection>> unpack(Message message) {
    std::vector<ParkedConnection> connections;
    for (auto& [tag, value] : message.fields) {
        if (tag == Tag::listener)
            connections.push_back({UniqueFd(), std::move(value), {}});
        else if (tag == Tag::unread && connections.empty())
            return std::nullopt;
        else if (tag == Tag::unread)
            connections.back().unread += value;
    }
    if (connections.size() != message.fds.size()) return std::nullopt;
    for (std::size_t i = 0; i < connections.size(); ++i) {
        connections[i].fd = std::move(message.fds[i]);
        if (!is_stream_socket(connections[i].fd.get())) return std::nullopt;
    }
    return connections;
}

Message end_message(const ConnectionCounts& counts) {
    Message message;
    message.type = Message::Type::end;
    const auto add = [&message](std::string_view name, std::uint64_t count) {
        message.fields.emplace_back(Tag::connection_counts,
                                    std::string(name) + "=" + std::to_string(count));
    };
    add(held, counts.opened);
    for (const CloseReason reason : all_close_reasons) add(to_string(reason), counts[reason]);
    return message;
}

ConnectionCounts counts_of(const Message& end) {
    ConnectionCounts counts;
    for (const auto& [tag, text] : end.fields) {
        const auto equals = text.find('=');
        if (tag != Tag::connection_counts || equals == std::string::npos) continue;
        const std::string_view name = std::string_view(text).substr(0, equals);
        std::uint64_t count = 0;
        std::from_chars(text.data() + equals + 1, text.data() + text.size(), count);
        if (name == held) counts.opened = count;
        for (const CloseReason reason : all_close_reasons)
            if (name == to_string(reason)) counts[reason] = count;
    }
    return counts;
}

}  // namespace handover
