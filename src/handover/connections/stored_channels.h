// SPDX-License-Identifier: MIT
#pragma once

#include "handover/base/event_loop.h"
#include "handover/peer/channel.h"
#include "handover/systemd/notify_barrier.h"
#include "handover/systemd/service_manager.h"

#include <functional>
#include <optional>

namespace handover {

/// Makes channels that wait in the fd store for the next generation: ours is the writing end, the
/// reading end is systemd's.
///
/// systemd never answers, and closes what it does not take: a store that is full or absent, a
/// process that may not speak. So a reading end is stored before anything is in it; then we close
/// ours, and if the channel has hung up, nobody holds the other end. Thus no connection is ever put
/// into a channel that goes nowhere, and a crash halfway loses only what was not put in yet.
///
/// Works on an EventLoop and borrows the manager; both must outlive it.
class StoredChannels {
  public:
    /// Called from the loop, once for each open(): adopts a channel that begins with the hello, or
    /// gets nothing if the store took none. May destroy the object.
    using Opened = std::function<void(std::optional<Channel>)>;

    StoredChannels(EventLoop& loop, const ServiceManager& manager, const Message& hello);
    StoredChannels(const StoredChannels&) = delete;
    StoredChannels& operator=(const StoredChannels&) = delete;

    /// Asks the store to take the reading end of a new channel. Not before the last one has been
    /// answered.
    void open(Opened opened);

  private:
    void conclude(NotifyBarrier::Outcome outcome);

    const ServiceManager& manager_;
    Message hello_;
    Opened opened_;
    std::optional<Channel> ours_;
    std::optional<Channel> theirs_;
    NotifyBarrier barrier_;
};

}  // namespace handover
