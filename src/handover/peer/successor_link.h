// SPDX-License-Identifier: MIT
#pragma once

#include "handover/base/event_loop.h"
#include "handover/peer/channel.h"
#include "handover/peer/program.h"
#include "handover/peer/successor_process.h"

#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace handover {

/// One try to hand over to a next generation, from its start to the end of its probation, seen from
/// the predecessor. Works on an EventLoop, which must outlive it. The destructor kills a successor
/// that has not been released. What comes over the channel counts if that very process has sent it.
class SuccessorLink {
  public:
    /// Called from the loop, at most once each but for on_promotion_wanted and on_drain_quota; they
    /// must not destroy the link.
    struct Callbacks {
        /// It could accept, and waits for say_go().
        std::function<void()> on_ready;
        /// With the reason as a sentence; the successor may still live. Also after on_ready(), when
        /// the successor ends.
        std::function<void(const std::string& reason)> on_failed;
        /// After say_go(): it asks us to end its probation.
        std::function<void()> on_promotion_wanted = [] {};
        /// After say_go(): it was asked to stop, and the service with it.
        std::function<void()> on_stopping = [] {};
        /// After say_go(): it was asked to leave for a restart, and the service with it.
        std::function<void()> on_restarting = [] {};
        /// After detach(): it hands over as well, and `count` generations before it may go on
        /// draining.
        std::function<void(std::uint64_t count)> on_drain_quota = [](std::uint64_t) {};
    };
    /// What the successor said of itself.
    struct Peer {
        std::uint64_t protocol = 0;  ///< newest version that it speaks
        std::uint64_t generation = 0;
        std::string version;
        std::string build_id;
    };

    SuccessorLink(EventLoop& loop, Callbacks callbacks);
    ~SuccessorLink();
    SuccessorLink(const SuccessorLink&) = delete;
    SuccessorLink& operator=(const SuccessorLink&) = delete;

    /// Starts the process with `fds` and its end of a channel, on which `hello` waits for it.
    /// Throws Error if it cannot be started; no callback is called then.
    void begin(const Program& program, std::vector<PassedFd> fds, const Message& hello,
               std::chrono::milliseconds ready_timeout);

    [[nodiscard]] pid_t pid() const { return process_ ? process_->pid() : -1; }
    [[nodiscard]] const Peer& peer() const { return peer_; }
    [[nodiscard]] std::chrono::milliseconds age() const;

    /// Makes the successor the service manager's child; on it goes whatever becomes of us.
    void release();
    /// The same, and it is on its own: what we send and it does not read is lost with it.
    void detach();
    /// Tells it to accept. After on_ready().
    void say_go() const;
    /// For its connections: our end of the channel, beside which we go on reading. Once.
    [[nodiscard]] Channel take_channel() { return std::move(*for_connections_); }
    /// What the successor has not read of that, now that it has died. Once; we hold the other end
    /// of the channel, too, until our own end.
    [[nodiscard]] std::vector<Message> take_unread();
    /// Asks it whether it is healthy, and calls `healthy` from the loop when it says so. If it does
    /// not in the time that it had to get ready, on_failed() is called.
    void check_health(std::function<void()> healthy);
    /// Tells it that it is the main process, and calls `told` as soon as the channel has taken
    /// that: at once or from the loop. If it never does, on_failed() is called.
    void say_promoted(std::function<void()> told);
    /// Reads what it has said so far.
    void read_all();
    /// Also before on_failed() has told so.
    [[nodiscard]] bool has_ended() const;
    /// Calls back no more, also not in what goes on at this moment: to be destroyed soon.
    void close();
    void signal(int number) const;
    void kill() const { signal(SIGKILL); }

  private:
    [[nodiscard]] Channel::Received receive(Message& message) const;
    void on_channel();
    void on_message(const Message& message);
    void on_ended();
    void ask();
    void fail(const std::string& reason);

    EventLoop& loop_;
    Callbacks callbacks_;
    std::optional<Channel> channel_;
    std::optional<Channel> for_connections_;
    std::optional<Channel> its_end_;
    std::optional<SuccessorProcess> process_;
    Peer peer_;
    enum class Verdict { none, ready, failed } verdict_ = Verdict::none;
    std::chrono::steady_clock::time_point begun_;
    std::chrono::milliseconds ready_timeout_{0};
    Timer timeout_;
    std::function<void()> healthy_;  ///< waits for its answer
    std::function<void()> told_;     ///< waits for room in the channel
    Timer room_;
};

}  // namespace handover
