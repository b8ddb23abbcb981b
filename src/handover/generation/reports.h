// SPDX-License-Identifier: MIT
#pragma once

#include "handover/base/event_loop.h"
#include "handover/connections/service_group.h"
#include "handover/generation.h"
#include "handover/generation/generation_recorder.h"
#include "handover/generation/lifecycle.h"
#include "handover/ledger/ledger.h"
#include "handover/listeners/listener_set.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

namespace handover {

/// What a generation tells of itself as long as it lives: a line in the log for each event, the
/// snapshot for whoever asks for the status, its page of the registry, and the counters of
/// handovers.
///
/// Borrows the options, the listeners with their ledger, and the services. For the thread of the
/// lifecycle but for number(), status() and history(), which are thread-safe.
class Reports {
  public:
    using Severity = Report::Severity;

    /// `started_by_predecessor`: if not, this generation counts how it came up, for nobody else
    /// does.
    Reports(EventLoop& loop, const GenerationOptions& options, ListenerSet& listeners,
            const ServiceGroup& services, bool started_by_predecessor);

    // ---- who tells

    /// 0 before it serves.
    [[nodiscard]] std::uint64_t number() const { return number_; }
    /// It begins to serve.
    void set_number(std::uint64_t number) { number_ = number; }
    [[nodiscard]] const std::string& build_id() const { return build_id_; }
    /// "generation 3"; one that has no number yet is "the new generation".
    [[nodiscard]] std::string name() const;
    /// "generation 3 (pid 7) serves http on [::]:9999"
    [[nodiscard]] std::string serving_sentence() const;
    /// How it came, if somebody was there before.
    void set_kind(HandoverKind kind) { kind_ = kind; }

    // ---- to the log

    void report(Report what);
    void report(Severity severity, const std::string& text);
    void warn(const std::string& text) { report(Severity::warning, text); }
    /// After a restart or crash it tells of the end of the one before as well, which could not or
    /// which nobody will look for.
    void report_serving(const ImportedConnections& imported);
    /// The predecessor has made it the main process.
    void report_promotion();
    /// In the log with `what` besides, and as GenerationStatus::last_handover.
    void report_handover(Report what, const HandoverResult& result);

    // ---- to the registry and the counters

    /// `predecessor`: the number of the generation that started this one.
    void begin_record(std::optional<std::uint64_t> predecessor);
    [[nodiscard]] GenerationRecorder& recorder() { return recorder_; }
    /// It came up by itself, that is without a predecessor; what is counted then depends on how
    /// the last main process ended.
    void count_start(const Ledger::End& last);
    /// The predecessor ended without a word, and this generation goes on.
    void count_succession();
    /// One of our own to a successor has come to its end.
    void count_handover(HandoverOutcome outcome, const std::string& reason);
    /// Of the generation, once; `why_cut` is empty if no connection was.
    void end(const ConnectionCounts& account, const std::string& why_cut, bool stays_as_anchor);

    // ---- of each transition

    /// What it is now. `drain_ends` is left out where the generation serves.
    void note_state(lifecycle::State state,
                    std::optional<std::chrono::steady_clock::time_point> drain_ends,
                    const ImportedConnections& imported);
    /// Before its actions.
    void report_transition(lifecycle::State before, lifecycle::Event event, lifecycle::State after);
    /// After its actions.
    void record_transition(lifecycle::State before, lifecycle::Event event, lifecycle::State after);

    // ---- to whoever asks

    [[nodiscard]] GenerationStatus status() const;
    [[nodiscard]] History history() const;

  private:
    const GenerationOptions& options_;
    ListenerSet& listeners_;
    const ServiceGroup& services_;
    GenerationRecorder recorder_;
    const std::string build_id_;
    const bool started_by_predecessor_;
    std::atomic<std::uint64_t> number_ = 0;
    std::optional<HandoverKind> kind_;  ///< how we came; none: nobody was there before
    Timer counting_;  ///< while we do not serve, for others to see how many connections are left

    mutable std::mutex mutex_;  ///< guards published_
    GenerationStatus published_;
};

}  // namespace handover
