// SPDX-License-Identifier: MIT
#pragma once

#include "handover/base/event_loop.h"
#include "handover/connections/service_group.h"
#include "handover/generation.h"
#include "handover/generation/anchor_process.h"
#include "handover/generation/drain_deadline.h"
#include "handover/generation/reports.h"
#include "handover/ledger/ledger.h"
#include "handover/systemd/service_manager.h"

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>

namespace handover {

/// What a generation owes to whoever supervises it as long as it lives: to a service manager, which
/// is told who the main process is and fed its watchdog; to one that starts it again and again, a
/// back-off; and to one that watches a single pid, an anchor.
///
/// Owns the anchor, and borrows all that its constructor gets. Not thread-safe.
class Supervision {
  public:
    /// Called from the loop, or from inside the function that is named.
    struct Callbacks {
        /// back_off() has waited long enough.
        std::function<void()> on_backed_off;
        /// announce_ready(): the anchor is gone, nobody is left that could stop this process.
        std::function<void()> on_anchor_lost;
    };
    struct Borrowed {
        const GenerationOptions& options;
        ServiceManager& manager;
        Ledger& ledger;
        const ServiceGroup& services;
        const DrainDeadline& deadline;
        Reports& reports;
    };

    Supervision(EventLoop& loop, const Borrowed& borrowed, Callbacks callbacks);

    // ---- a service manager

    /// This generation serves and speaks for the service from here on, unless it is orphaned.
    void announce_ready();
    /// It ends, and so does the service, or the service restarts.
    void announce_end(Ledger::End::Kind kind);
    /// It is not the main process any more.
    void fall_silent();
    /// Does it speak for the service, and are the listeners its own to close?
    [[nodiscard]] bool is_main() const { return is_main_; }

    /// The predecessor died before it made this generation the main process. With a service
    /// manager, the old one's death makes the manager end this generation, too, and start anew from
    /// the fd store: it is orphaned, serves until then, but owns nothing. Under an anchor, nobody
    /// but this generation is left. True if it is orphaned.
    bool lose_predecessor();
    [[nodiscard]] bool is_orphaned() const { return is_orphaned_; }

    // ---- the successor

    /// Who looks after signals for the main process, sends them to this one.
    void set_main_process(pid_t pid);
    /// To the service manager as well. The successor must have been released.
    void hand_main_pid(pid_t pid, const std::string& status);

    // ---- one that starts us again and again

    /// True if those before crashed so often that this one has to wait: see backoff_after().
    bool back_off();

    // ---- one that watches the process which it started, and no other

    /// For a generation without a predecessor, if it is asked to or is PID 1. Throws Error (os).
    void become_anchor();
    [[nodiscard]] bool is_anchor() const { return anchor_.has_value(); }
    /// Is it an anchor, and another process the main one?
    [[nodiscard]] bool stays_as_anchor() const { return anchor_ && anchor_->has_successor(); }
    /// To the main process. As an anchor.
    void pass_on(int signal_number) { anchor_->pass_on(signal_number); }
    /// Has an anchor sent this, and got it back by now? See AnchorProcess::returns_signal().
    [[nodiscard]] bool returns_signal(int signal_number, pid_t sender) const;
    /// As an anchor, when the listeners and connections are others': waits for the end of the
    /// service, in this process or in a smaller one. The status to exit with.
    [[nodiscard]] int stay();

  private:
    void feed_watchdog();
    void count_down();

    const GenerationOptions& options_;
    ServiceManager& manager_;
    Ledger& ledger_;
    const ServiceGroup& services_;
    const DrainDeadline& deadline_;
    Reports& reports_;
    const Callbacks callbacks_;
    std::optional<AnchorProcess> anchor_;
    bool is_main_ = false;
    bool is_orphaned_ = false;
    bool is_responsive_ = true;
    Timer backoff_;
    Timer established_;
    Timer watchdog_;
    Timer countdown_;
};

}  // namespace handover
