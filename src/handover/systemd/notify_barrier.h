// SPDX-License-Identifier: MIT
#pragma once

#include "handover/base/event_loop.h"
#include "handover/systemd/service_manager.h"

#include <functional>

namespace handover {

/// Waits until the service manager has processed everything that it was sent so far
/// (sd_notify_barrier(3)), but not for ever. Works on an EventLoop and borrows the manager; both
/// must outlive it.
class NotifyBarrier {
  public:
    enum class Outcome {
        processed,  ///< it has
        absent,     ///< there is nobody to wait for, or no descriptor to do it with
        late,       ///< it takes more than five seconds
    };

    NotifyBarrier(EventLoop& loop, const ServiceManager& manager);
    ~NotifyBarrier();
    NotifyBarrier(const NotifyBarrier&) = delete;
    NotifyBarrier& operator=(const NotifyBarrier&) = delete;

    /// `done` is called from the loop, once; it may destroy the object. One at a time.
    void begin(std::function<void(Outcome)> done);
    /// It is not called any more.
    void cancel();

  private:
    void conclude(Outcome outcome);

    EventLoop& loop_;
    const ServiceManager& manager_;
    std::function<void(Outcome)> done_;
    UniqueFd barrier_;
    Timer timeout_;
};

}  // namespace handover
