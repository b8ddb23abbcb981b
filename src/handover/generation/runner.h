// SPDX-License-Identifier: MIT
#pragma once

#include "handover/anchor.h"
#include "handover/base/event_loop.h"
#include "handover/build_id.h"
#include "handover/connections/connection_export.h"
#include "handover/connections/connection_import.h"
#include "handover/connections/service_group.h"
#include "handover/generation.h"
#include "handover/generation/generation_recorder.h"
#include "handover/generation/lifecycle.h"
#include "handover/listeners/listener_set.h"
#include "handover/peer/predecessor_link.h"
#include "handover/peer/successor_link.h"
#include "handover/systemd/notify_barrier.h"
#include "handover/systemd/service_manager.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace handover {

/// Turns what happens into lifecycle events, and carries out the lifecycle's actions: those about a
/// successor in generation_handover.cpp, those about a supervisor in generation_supervision.cpp,
/// the others in generation_runner.cpp. What it says of itself is in generation_status.cpp, what it
/// tells of all that in generation_reports.cpp.
class Generation::Runner {
  public:
    Runner(InheritedState inheritance, GenerationOptions options);

    Exit run();
    void request_handover(std::function<void(const HandoverResult&)> done);
    void await_end_of_probation(std::function<void()> done);
    [[nodiscard]] GenerationStatus status() const;
    [[nodiscard]] History history() const;
    [[nodiscard]] std::uint64_t number() const { return number_; }

    ServiceGroup& services() { return services_; }
    [[nodiscard]] const Ledger& ledger() const { return listener_set_.ledger(); }

  private:
    using Requester = std::function<void(const HandoverResult&)>;
    using Severity = Report::Severity;

    void start();
    [[nodiscard]] PredecessorLink::Callbacks predecessor_callbacks();
    void on_go();
    void on_arrived(Message message);
    void on_health_check();
    void on_predecessor_lost();
    void on_predecessor_ended();
    void on_drained();
    void on_signal(int number, pid_t sender);
    void on_handover_requested();

    void handle(lifecycle::Event event);
    void perform(lifecycle::Action action);
    void note_state();
    void begin_record();
    void tell_transition(lifecycle::State before, lifecycle::Event event);

    // The actions.
    void take_over();
    void store_listeners();
    void adopt_stored_connections();
    void drop_predecessor();
    void retire_listeners();
    void store_connections();
    void drain_promptly();
    void close_remaining();

    // Those about a supervisor.
    void announce_ready();
    void announce_end(const std::string& what);
    void fall_silent();
    void feed_watchdog();
    void count_down();
    void back_off(std::uint64_t crashes);
    void become_anchor();
    [[nodiscard]] int stay();
    void count_start();

    // Those about a successor.
    void start_successor();
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

    [[nodiscard]] SuccessorLink::Callbacks successor_callbacks();
    void forget_successor();
    void on_drain_quota(std::uint64_t count);
    [[nodiscard]] Message hello();
    [[nodiscard]] std::string serving_sentence() const;
    /// Before it serves, a generation has no number yet.
    [[nodiscard]] std::string name() const {
        return number_ != 0 ? "generation " + std::to_string(number_) : "the new generation";
    }
    void answer(std::vector<Requester>& requesters, const HandoverResult& result);
    void tell(Report report, const HandoverResult& result);
    [[nodiscard]] HandoverResult failure(const std::string& reason) const;
    void count_handover(HandoverOutcome outcome);
    void start_drain_timeout();
    void note_drained();
    void answer_end_of_probation();
    void report(Report what);
    void report(Severity severity, const std::string& text) {
        report({.severity = severity, .text = text});
    }
    void report_serving();
    void report_promotion();
    void report_end();
    void debug_transition(lifecycle::State before, lifecycle::Event event);

    GenerationOptions options_;
    Program program_;
    std::vector<std::string> warnings_;
    const ListenerSet::Warn warn_ = [this](const std::string& text) {
        report(Severity::warning, text);
    };
    const std::string build_id_ = build_id();

    EventLoop loop_;
    ServiceManager manager_;
    ListenerSet listener_set_;
    GenerationRecorder recorder_{listener_set_.ledger(), options_.version};
    ServiceGroup services_{loop_};
    ConnectionImport import_{services_, warn_, [this](const ParkedConnection& connection) {
                                 return listener_set_.has_dropped(connection);
                             }};
    ConnectionExport export_{loop_, services_, manager_, {[this] { on_drained(); }, warn_}};
    std::optional<PredecessorLink> predecessor_;
    std::optional<Anchor> anchor_;

    lifecycle::State state_ = lifecycle::State::starting;
    std::deque<lifecycle::Event> events_;  ///< one at a time: an action may cause the next
    bool handling_ = false;
    std::atomic<std::uint64_t> number_ = 0;
    std::size_t cut_ = 0;

    std::shared_ptr<SuccessorLink> successor_;
    std::string failure_;                      ///< of the current attempt
    std::size_t lost_connections_ = 0;         ///< connections that went down with a successor
    std::string why_cut_;                      ///< and whose; empty: none was
    std::optional<HandoverKind> kind_;         ///< how we came; none: nobody was there before
    std::vector<Requester> requesters_;        ///< of the current attempt
    std::vector<Requester> pending_requests_;  ///< not yet looked at by the lifecycle
    std::vector<std::function<void()>> waiting_for_end_of_probation_;
    std::chrono::steady_clock::time_point deadline_;
    std::optional<std::chrono::steady_clock::time_point> drains_since_;
    const bool started_by_predecessor_;
    bool draining_ = false;
    bool over_quota_ = false;  ///< too many generations drain, and we are one of the oldest
    bool main_ = false;        ///< we speak for the service, and the listeners are ours to close
    bool responsive_ = true;
    bool orphaned_ = false;  ///< the next generation comes out of the fd store, not from us

    Signals signals_;
    BarrierWait barrier_;
    Timer backoff_;
    Timer established_;
    Timer watchdog_;
    Timer probation_;
    Timer drain_timeout_;
    Timer countdown_;
    Timer counting_;  ///< for others to see how many connections are left

    mutable std::mutex mutex_;  ///< guards published_
    GenerationStatus published_;
};

}  // namespace handover
