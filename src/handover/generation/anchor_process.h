// SPDX-License-Identifier: MIT
#pragma once

#include "handover/ledger/ledger.h"

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace handover {

/// The process that is an Anchor, and what a main process and its anchor owe each other.
///
/// All generations become its children, however they were started (PR_SET_CHILD_SUBREAPER,
/// prctl(2)). Which of them is the main process stands in the ledger, of which it owns a twin. A
/// generation that became the main process stops when its anchor dies (PR_SET_PDEATHSIG): the
/// supervisor starts anew then, and needs the address.
///
/// Not thread-safe; for the first thread of the process.
class AnchorProcess {
  public:
    /// For the first generation, before it starts another one. Throws Error (os).
    explicit AnchorProcess(Ledger& ledger);
    /// In the process that exec() made. Adopts the descriptor; nullopt if it is no ledger that
    /// names this process as its anchor.
    [[nodiscard]] static std::optional<AnchorProcess> resume(int ledger_fd);

    /// Is the main process another one?
    [[nodiscard]] bool has_successor() const;
    /// To the main process, if that is a child of ours and lives. Else it is kept: one that has
    /// died may have a successor in a moment.
    void pass_on(int signal_number);

    /// Replaces this process by a run of the same executable, even if that has been removed, with
    /// `arguments` and after them the number for resume(). All other descriptors but 0, 1 and 2
    /// are closed; signals stay blocked, and pending, those that are kept among them. Returns only
    /// by throwing Error (os), with nothing changed: then call wait().
    [[noreturn]] void exec(std::vector<std::string> arguments) const;

    /// A sentence for the log.
    using Report = std::function<void(const std::string&)>;
    /// See Anchor::wait().
    [[nodiscard]] int wait(std::chrono::milliseconds timeout, const Report& report);

    /// For the main process: makes another one that. On return, a signal that the anchor has sent
    /// us because it took us for the main process is pending, and goes back by returns_signal().
    static void set_main_process(Ledger& ledger, pid_t main_pid);

    /// For a generation that has received a signal. True if its anchor sent it, meaning the main
    /// process, and that is another one by now: the anchor has it back, and passes it on.
    [[nodiscard]] static bool returns_signal(const Ledger& ledger, int signal_number, pid_t sender);

    /// For a generation that is the main process from now on. Without an anchor it does nothing.
    /// False if there was one and it is gone: nobody is left that could stop this process.
    [[nodiscard]] static bool follow(const Ledger& ledger);

  private:
    explicit AnchorProcess(Ledger&& ledger) : ledger_(std::move(ledger)) {}
    [[nodiscard]] bool reaches_main(int signal_number);

    Ledger ledger_;
    std::set<int> kept_;  ///< for the next main process
};

}  // namespace handover
