// SPDX-License-Identifier: MIT
#pragma once

#include "handover/base/event_loop.h"
#include "handover/handover_result.h"
#include "handover/peer/successor_link.h"
#include "handover/systemd/notify_barrier.h"
#include "handover/systemd/service_manager.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace handover {

/// What lives no longer than one handover, seen from the generation that hands over: who asked for
/// it, the link to the successor, the probation, and why it failed. It begins with the start of the
/// successor. It ends when that has failed, and otherwise with this generation.
///
/// Owns the link, and so kills a successor that has not been released (see SuccessorLink). Works on
/// an EventLoop and borrows the manager; both must outlive it. Not thread-safe.
class Handover {
  public:
    using Requester = std::function<void(const HandoverResult&)>;

    Handover(EventLoop& loop, const ServiceManager& manager, std::vector<Requester> requesters);

    struct Callbacks {
        SuccessorLink::Callbacks of_successor;
        /// From the loop, when the time of start_probation() is over.
        std::function<void()> on_probation_passed;
    };
    /// Starts the process, see SuccessorLink::begin(). Throws Error: there may be no successor()
    /// then, for want of a descriptor.
    void begin(Callbacks callbacks, const Program& program, std::vector<PassedFd> fds,
               const Message& hello, std::chrono::milliseconds ready_timeout);
    [[nodiscard]] bool has_successor() const { return successor_.has_value(); }
    [[nodiscard]] SuccessorLink& successor() { return *successor_; }

    /// After begin().
    void start_probation(std::chrono::milliseconds time) { probation_->start_once(time); }
    void stop_probation() { probation_->stop(); }
    /// Calls `done` from the loop when the service manager has processed what it was sent, or takes
    /// too long. After begin().
    void await_manager(std::function<void()> done);
    /// Neither the end of the probation nor the service manager is waited for any more.
    void stop_waiting();

    /// Why it failed. The last one counts.
    void fail(const std::string& reason) { failure_ = reason; }
    /// Empty: it has not.
    [[nodiscard]] const std::string& failure() const { return failure_; }
    /// So many connections went down with the successor.
    void lose_connections(std::size_t count) { lost_connections_ = count; }
    [[nodiscard]] std::size_t lost_connections() const { return lost_connections_; }

    /// Tells those who asked, once.
    void answer(const HandoverResult& result);
    /// It is over: calls back no more, also not in what goes on at this moment.
    void close();

  private:
    EventLoop& loop_;
    const ServiceManager& manager_;
    std::vector<Requester> requesters_;
    std::optional<SuccessorLink> successor_;
    std::optional<NotifyBarrier> barrier_;
    std::optional<Timer> probation_;
    std::string failure_;
    std::size_t lost_connections_ = 0;
};

}  // namespace handover
