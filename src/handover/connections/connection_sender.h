// SPDX-License-Identifier: MIT
#pragma once

#include "handover/base/event_loop.h"
#include "handover/connection_counts.h"
#include "handover/parked_connection.h"
#include "handover/peer/channel.h"

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace handover {

/// Sends parked connections over a channel, in batches, and keeps what the channel does not take
/// yet. Used for both ways that a connection can take: to a successor, which reads at the same
/// time, and into channels that wait in the fd store, where nobody reads and one after the other
/// gets full.
///
/// Adopts the connections that are put into it, until they are sent or taken back. Works on an
/// EventLoop, which must outlive it, and on its thread only, but for the inlet.
class ConnectionSender {
  public:
    /// Called from the loop. They may destroy the sender.
    struct Callbacks {
        /// Nothing waits any more; after finish(), the end has been sent as well.
        std::function<void()> all_sent;
        /// Nothing more can be sent: see take_back(). The reason is half a sentence.
        std::function<void(const std::string& reason)> failed;
        /// One with more unread than a message carries. By default it is closed politely.
        std::function<void(ParkedConnection)> unfit = close_politely;
        /// The channel is full and continue_with() must bring another. If not set, the reader makes
        /// room: then the sender waits.
        std::function<void()> full = nullptr;
    };

    ConnectionSender(EventLoop& loop, Callbacks callbacks);
    ~ConnectionSender();
    ConnectionSender(const ConnectionSender&) = delete;
    ConnectionSender& operator=(const ConnectionSender&) = delete;

    /// Adopts connections, from any thread. May outlive the sender; from then on, and after stop(),
    /// it closes them.
    [[nodiscard]] std::function<void(ParkedConnection)> inlet() const;

    /// Sends over this channel from now on. Until it has one, the sender collects.
    void continue_with(Channel channel);
    /// Nothing more will come: sends `counts` as the end, after what still waits.
    void finish(const ConnectionCounts& counts);
    /// More will come after all: an end that has not been sent yet is not sent.
    void withdraw_finish();
    /// Sends `counts` as the end, ahead of what still waits, if the channel takes it at once.
    void finish_now(const ConnectionCounts& counts);
    /// Sends nothing any more and calls nothing back. What has not been sent is closed, at the
    /// latest when the sender ends, unless it is taken back before.
    void stop();

    /// Releases what has not been sent to the caller.
    [[nodiscard]] std::deque<ParkedConnection> take_back();
    /// How many connections have been put in and not been sent.
    [[nodiscard]] std::size_t unsent() const;

  private:
    struct Inbox;
    void flush();
    bool send(const Message& message);
    void wait_for_room();
    void stop_waiting();

    EventLoop& loop_;
    const Callbacks callbacks_;
    std::shared_ptr<Inbox> inbox_;
    std::deque<ParkedConnection> waiting_;
    std::optional<Message> batch_;  ///< packed, and not yet taken by the channel
    std::optional<Message> end_;    ///< wanted, and not yet taken by the channel
    std::optional<Channel> channel_;
    bool waits_for_room_ = false;
    Timer retry_;
};

}  // namespace handover
