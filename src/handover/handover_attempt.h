// SPDX-License-Identifier: MIT
#pragma once

#include "handover/channel.h"
#include "handover/event_loop.h"
#include "handover/program.h"
#include "handover/successor.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace handover {

/// One try to start the next generation and to hear that it is ready, seen from the predecessor.
/// Works on an EventLoop, which must outlive it. The destructor kills a successor that has not been
/// released.
class HandoverAttempt {
  public:
    /// Called from the loop, at most once each; they must not destroy the attempt.
    struct Callbacks {
        std::function<void()> ready;
        /// With the reason as a sentence; the successor may still live. Also after ready(), when
        /// the successor ends.
        std::function<void(const std::string& reason)> failed;
    };
    /// What the successor said of itself.
    struct Peer {
        std::uint64_t protocol = 0;  ///< newest version that it speaks
        std::uint64_t generation = 0;
        std::string version;
        std::string build_id;
    };

    HandoverAttempt(EventLoop& loop, Callbacks callbacks);
    ~HandoverAttempt();
    HandoverAttempt(const HandoverAttempt&) = delete;
    HandoverAttempt& operator=(const HandoverAttempt&) = delete;

    /// Starts the process with `fds` and its end of a channel, on which `hello` waits for it.
    /// Throws Error if it cannot be started; no callback is called then.
    void begin(const Program& program, std::vector<PassedFd> fds, const Message& hello,
               std::chrono::milliseconds ready_timeout);

    [[nodiscard]] pid_t pid() const { return successor_ ? successor_->pid() : -1; }
    [[nodiscard]] const Peer& peer() const { return peer_; }
    [[nodiscard]] std::chrono::milliseconds age() const;

    /// Makes the successor the service manager's child; on it goes whatever becomes of us.
    void release();
    /// Tells it to accept. False if it is gone.
    [[nodiscard]] bool say_go() const;
    /// Our end of the channel, for its connections. After say_go(), once.
    [[nodiscard]] Channel take_channel();
    void kill();

  private:
    void on_channel();
    void on_message(const Message& message);
    void on_ended();
    void fail(const std::string& reason);

    EventLoop& loop_;
    Callbacks callbacks_;
    std::optional<Channel> channel_;
    std::optional<Successor> successor_;
    Peer peer_;
    enum class Verdict { none, ready, failed } verdict_ = Verdict::none;
    std::chrono::steady_clock::time_point begun_;
    std::chrono::milliseconds ready_timeout_{0};
    Timer patience_;
};

}  // namespace handover
