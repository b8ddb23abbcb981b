// SPDX-License-Identifier: MIT
#pragma once

#include "handover/channel.h"
#include "handover/event_loop.h"

#include <functional>
#include <string>

namespace handover {

/// The generation that started us, seen from the successor: the mirror of HandoverAttempt. Owns its
/// end of the channel; works on an EventLoop, which must outlive it.
class PredecessorLink {
  public:
    /// Called from the loop, one of them and once.
    struct Callbacks {
        std::function<void()> go;
        std::function<void()> lost;  ///< it closed the channel, or broke the protocol
    };

    PredecessorLink(EventLoop& loop, Channel channel, Callbacks callbacks);
    ~PredecessorLink();
    PredecessorLink(const PredecessorLink&) = delete;
    PredecessorLink& operator=(const PredecessorLink&) = delete;

    /// Reads its hello, which was sent before this process existed, and answers with ours.
    /// Throws Error (config) if what comes is no hello that we understand.
    void greet(const Message& hello);
    void say_ready() const;
    /// Why this generation does not start.
    void refuse(const std::string& reason) const;

  private:
    void on_channel();

    EventLoop& loop_;
    Channel channel_;
    Callbacks callbacks_;
};

}  // namespace handover
