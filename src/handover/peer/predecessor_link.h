// SPDX-License-Identifier: MIT
#pragma once

#include "handover/base/event_loop.h"
#include "handover/peer/channel.h"

#include <cstdint>
#include <functional>
#include <string>

namespace handover {

/// The generation that started us, seen from the successor: the mirror of SuccessorLink. Owns its
/// end of the channel; works on an EventLoop, which must outlive it.
class PredecessorLink {
  public:
    /// Called from the loop; the first of them is on_go or on_lost. They must not destroy the link.
    struct Callbacks {
        /// It says `go`: we accept from here on.
        std::function<void()> on_go;
        /// Before `go` it closed the channel, or broke the protocol. Nothing follows.
        std::function<void()> on_lost;
        /// After `go`, once: the end of our probation.
        std::function<void()> on_promoted = [] {};
        /// After `go`: it asks whether we are healthy. If so, the answer is say(healthy).
        std::function<void()> on_health_check = [] {};
        /// After `go`: connections, or the account at the end of them.
        std::function<void(Message)> on_arrived = [](const Message&) {};
        /// After `go`: something that cannot be read; what came with it has been closed.
        std::function<void()> on_unreadable = [] {};
        /// After `go`: nothing more will come. Nothing follows. If it has not said `promoted`
        /// before, it died.
        std::function<void()> on_ended = [] {};
    };

    PredecessorLink(EventLoop& loop, Channel channel, Callbacks callbacks);
    ~PredecessorLink();
    PredecessorLink(const PredecessorLink&) = delete;
    PredecessorLink& operator=(const PredecessorLink&) = delete;

    /// Reads its hello, which was sent before this process existed, and answers with ours.
    /// Throws Error (config) if what comes is no hello that we understand.
    void greet(const Message& hello);
    /// Its number, from its hello; 0 before greet().
    [[nodiscard]] std::uint64_t generation() const { return generation_; }
    void say_ready() const;
    /// Have we been told that we are the main process? A predecessor before protocol version 3
    /// means that by `go`.
    [[nodiscard]] bool promoted() const { return promoted_; }
    /// `promote_me`, `stopping`, `restarting` or `healthy`, while we are on probation.
    void say(Message::Type what) const;
    /// We hand over, too: of the generations that drain, it and those before it, so many may go on.
    void say_drain_quota(std::uint64_t count) const;
    /// Reads what has been sent so far, and notices if the predecessor has died: before the channel
    /// shows that, for other processes may have its end as well.
    void read_all();
    /// Why this generation does not start.
    void refuse(const std::string& reason) const;

  private:
    bool on_channel();
    void on_message(Message message);
    void on_promoted();
    void on_gone();
    [[nodiscard]] bool predecessor_is_dead() const;

    EventLoop& loop_;
    Channel channel_;
    UniqueFd its_pidfd_;
    Callbacks callbacks_;
    std::uint64_t generation_ = 0;
    std::uint64_t protocol_ = 0;
    bool promoted_ = false;
    bool all_arrived_ = false;
    bool going_ = false;  ///< it has said go
    bool gone_ = false;
};

}  // namespace handover
