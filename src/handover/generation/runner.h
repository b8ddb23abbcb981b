// SPDX-License-Identifier: MIT
#pragma once

#include "handover/base/event_loop.h"
#include "handover/connections/connection_export.h"
#include "handover/connections/connection_import.h"
#include "handover/connections/service_group.h"
#include "handover/generation.h"
#include "handover/generation/drain_deadline.h"
#include "handover/generation/handover.h"
#include "handover/generation/lifecycle.h"
#include "handover/generation/reports.h"
#include "handover/generation/supervision.h"
#include "handover/listeners/listener_set.h"
#include "handover/peer/predecessor_link.h"
#include "handover/systemd/service_manager.h"

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace handover {

/// Turns what happens into lifecycle events, one at a time, and carries out the lifecycle's
/// actions: those about a successor are in runner_handover.cpp, the others in runner.cpp.
///
/// Owns the loop and everything that works on it. What lives as long as the generation are its
/// members; what lives shorter are predecessor_, until that has nothing more to say, and handover_.
class Generation::Runner {
  public:
    Runner(InheritedState inheritance, GenerationOptions options);

    /// See Generation::run().
    Exit run();
    /// Thread-safe.
    void request_handover(std::function<void(const HandoverResult&)> done);
    /// Thread-safe.
    void await_end_of_probation(std::function<void()> done);

    ServiceGroup& services() { return services_; }
    [[nodiscard]] const Reports& reports() const { return reports_; }
    [[nodiscard]] const Ledger& ledger() const { return listener_set_.ledger(); }

  private:
    void start();
    [[nodiscard]] PredecessorLink::Callbacks predecessor_callbacks();
    void on_go();
    void on_arrived(Message message);
    void on_health_check();
    void on_predecessor_lost();
    void on_predecessor_ended();
    void on_signal(int number, pid_t sender);
    void on_handover_requested();

    void handle(lifecycle::Event event);
    void step(lifecycle::Event event);
    void perform(lifecycle::Action action);
    void perform_on_predecessor(lifecycle::Action action);
    void perform_on_successor(lifecycle::Action action);
    void note_state();
    void answer_end_of_probation();
    [[nodiscard]] Message hello();

    // The actions.
    void take_over();
    void store_listeners();
    void adopt_stored_connections();
    void drop_predecessor();
    void retire_listeners();
    void store_connections();
    void drain_promptly();
    void close_remaining();

    // Those about a successor.
    void start_successor();
    [[nodiscard]] Handover::Callbacks handover_callbacks();
    void end_successor();
    void report_failed_handover();
    void refuse_handover();
    void pass_handover_on();
    void pass_stop_on();
    void report_handover();
    void move_connections();
    void recall_connections();
    void report_rollback();
    void hand_main_pid();
    void tell_manager();
    void release_successor();

    void on_drain_quota(std::uint64_t count);
    [[nodiscard]] HandoverResult failure(const std::string& reason) const;
    void answer_pending_requests(const HandoverResult& result);
    std::shared_ptr<Handover> end_handover();

    const GenerationOptions options_;
    const Program program_;
    const std::vector<std::string> warnings_;

    EventLoop loop_;
    ServiceManager manager_;
    ListenerSet listener_set_;
    ServiceGroup services_{loop_};
    Reports reports_;
    ConnectionImport import_;
    ConnectionExport export_;
    DrainDeadline drain_deadline_;
    Supervision supervision_;
    std::optional<PredecessorLink> predecessor_;
    std::unique_ptr<Handover> handover_;

    lifecycle::State state_ = lifecycle::State::starting;
    std::deque<lifecycle::Event> events_;  ///< the first is being handled, and may cause the next
    std::vector<Handover::Requester> pending_requests_;  ///< not yet looked at by the lifecycle
    std::vector<std::function<void()>> waiting_for_end_of_probation_;
    Signals signals_;
};

}  // namespace handover
