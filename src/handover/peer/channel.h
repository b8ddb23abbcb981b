// SPDX-License-Identifier: MIT
#pragma once

#include "handover/peer/message.h"
#include "handover/unique_fd.h"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace handover {

/// One end of a SOCK_SEQPACKET pair between two generations (unix(7)), on which each packet is a
/// Message. Owns its descriptor. Not thread-safe.
class Channel {
  public:
    /// The name under which a successor inherits its end.
    static constexpr const char* fd_name = "channel";

    enum class Received {
        message,  ///< `message` has been filled
        nothing,  ///< nothing there now; wait for EPOLLIN
        closed,   ///< the other end is gone
        refused,  ///< a packet that is no message for us; its descriptors have been closed
    };

    /// What one message may carry: of descriptors (SCM_MAX_FD of the kernel), of bytes.
    static constexpr std::size_t most_fds = 253;
    static constexpr std::size_t most_bytes = std::size_t{128} * 1024;

    explicit Channel(UniqueFd end) : fd_(std::move(end)) {}
    /// Both ends, O_CLOEXEC and O_NONBLOCK. Throws Error (os).
    [[nodiscard]] static std::pair<Channel, Channel> make_pair();

    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

    enum class Sent {
        sent,    ///< the descriptors are the other end's now too: drop ours
        full,    ///< its buffer is full; wait for EPOLLOUT
        limit,   ///< no memory, or more descriptors in flight than RLIMIT_NOFILE (unix(7))
        closed,  ///< the other end is gone
    };
    /// Nothing has been sent unless it says so.
    [[nodiscard]] Sent send(const Message& message) const;
    /// Never waits.
    [[nodiscard]] Received receive(Message& message) const;

    /// From here on the kernel notes which process has sent a packet to this end, whoever has the
    /// other one by then. Throws Error (os).
    void note_senders() const;
    static constexpr pid_t nobody_we_know = -1;
    /// The same, and who has sent it, be it refused or not: 0 where that has not been noted.
    [[nodiscard]] Received receive(Message& message, pid_t& sender) const;
    /// Does it begin with a hello that says `stored`? Leaves everything where it is.
    [[nodiscard]] bool is_stored() const;
    /// Is nobody at the other end, nor a hello left behind? Leaves everything where it is.
    [[nodiscard]] bool is_abandoned() const;
    /// Is every descriptor of the other end closed?
    [[nodiscard]] bool hung_up() const;
    /// A second descriptor of the same end, for somebody else to write to. Throws Error (os).
    [[nodiscard]] Channel duplicate() const;
    /// Gives up the descriptor.
    [[nodiscard]] UniqueFd release() && { return std::move(fd_); }

  private:
    [[nodiscard]] Received peek(Message& message) const;
    [[nodiscard]] Received receive(Message& message, pid_t& sender, int flags) const;

    UniqueFd fd_;
};

}  // namespace handover
