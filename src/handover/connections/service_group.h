// SPDX-License-Identifier: MIT
#pragma once

#include "handover/base/event_loop.h"
#include "handover/listeners/listeners.h"
#include "handover/service.h"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace handover {

/// The services of a generation as one: who wants which listeners, and whether all have drained.
/// Borrows the services and the loop; all must outlive it. Only counts() is thread-safe.
class ServiceGroup {
  public:
    explicit ServiceGroup(EventLoop& loop) : loop_(loop) {}

    /// One more service, for the listeners of these names.
    void add(Service& service, std::vector<WantedListener> wanted);
    /// What all of them want.
    [[nodiscard]] std::vector<WantedListener> wanted() const;

    /// Each service accepts on those of `listeners` and of `dropped` that it wants by their name.
    /// Takes the last drain() back.
    void start_accepting(const std::vector<Listener>& listeners,
                         const std::vector<Listener>& dropped = {});
    /// Accepts what waits in the queues of `dropped`, for the last time. Those who accept go on
    /// with `listeners`.
    void detach(const std::vector<Listener>& dropped, const std::vector<Listener>& listeners);
    /// Service::stop_accepting() for each.
    void stop_accepting();
    /// Service::accept_queued_and_stop() for each.
    void accept_queued_and_stop();
    /// Takes the last drain() back, and accepts nothing.
    void serve_on();
    /// Gives the connection to the service that wants the listener it came from. False if there is
    /// none: it has been closed politely.
    bool adopt(ParkedConnection connection);
    /// Service::drain() for each. `drained` is called once, from the loop, when the last service
    /// has drained; not if drain(), serve_on() or start_accepting() is called before that.
    void drain(const Service::Drain& how, std::function<void()> drained);
    /// Closes every connection that is left, and says how many they were.
    [[nodiscard]] std::size_t close_remaining();
    /// How many connections all services have had, and what became of them. Thread-safe.
    [[nodiscard]] ConnectionCounts counts() const;
    /// Has every service been able to begin something new at some moment of this time?
    [[nodiscard]] bool is_responsive(std::chrono::milliseconds within) const;

  private:
    struct Member {
        Service* service;
        std::vector<WantedListener> wanted;
        [[nodiscard]] bool wants(const std::string& listener) const;
    };

    EventLoop& loop_;
    std::vector<Member> members_;
    bool accepting_ = false;
    unsigned drain_round_ = 0;  ///< tells the callbacks of a replaced drain() from the current
    std::size_t not_drained_ = 0;
};

}  // namespace handover
