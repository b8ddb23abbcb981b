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
/// Borrows services and loop. Only counts() is thread-safe.
class ServiceGroup {
  public:
    explicit ServiceGroup(EventLoop& loop) : loop_(loop) {}

    void add(Service& service, std::vector<WantedListener> wanted);
    [[nodiscard]] std::vector<WantedListener> wanted() const;

    /// Also on those of `dropped` that have a service by their name.
    void start_accepting(const std::vector<Listener>& listeners,
                         const std::vector<Listener>& dropped = {});
    /// Accepts what waits in the queues of `dropped`, for the last time. Those who accept go on
    /// with `listeners`.
    void detach(const std::vector<Listener>& dropped, const std::vector<Listener>& listeners);
    void stop_accepting();
    void accept_queued_and_stop();
    /// Takes the last drain() back, and accepts nothing.
    void serve_on();
    /// To the service that wants the listener it came from. False if there is none: it has been
    /// closed politely.
    bool adopt(ParkedConnection connection);
    /// `drained` is called on the loop's thread when the last service has. Calling again replaces
    /// what was.
    void drain(const Service::Drain& how, std::function<void()> drained);
    [[nodiscard]] std::size_t close_remaining();
    [[nodiscard]] ConnectionCounts counts() const;
    /// All of them.
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
