// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace handover {

class Ledger;

/// The process that a supervisor watches, when another one serves.
///
/// A container ends with its PID 1, and a supervisor like runit takes the end of the process that
/// it started for the end of the service. So the first generation does not end there when it has
/// handed over and drained: it replaces itself by a waiter under the same pid, which passes signals
/// on to the generation that serves, reaps, and ends with it.
///
///     PID 1: generation 1 --drained, exec--> waiter ------------------------------> ends
///                 \--starts--> generation 2 --starts--> generation 3 --- ends --/
///
/// All generations become its children, however they were started (PR_SET_CHILD_SUBREAPER,
/// prctl(2)). Which of them is the main process stands in the ledger. A generation that became the
/// main process stops when its anchor dies (PR_SET_PDEATHSIG): the supervisor starts anew then, and
/// needs the address.
///
/// Not thread-safe; for the first thread of the process.
class Anchor {
  public:
    /// For the first generation, before it starts another one. Throws Error (os).
    explicit Anchor(Ledger& ledger);
    Anchor(Anchor&&) noexcept;
    Anchor& operator=(Anchor&&) noexcept;
    ~Anchor();
    /// In the process that exec() made. Adopts the descriptor; nullopt if it is no ledger that
    /// names this process as its anchor.
    [[nodiscard]] static std::optional<Anchor> resume(int ledger_fd);

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
    /// Waits until the service has ended, and passes signals on meanwhile. The status to exit with:
    /// that of the main process, or 128 and the number of the signal that killed it. When it ended
    /// well, what still drains has `timeout` to finish; a second SIGINT ends the wait.
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
    explicit Anchor(Ledger&& ledger);
    [[nodiscard]] bool reaches_main(int signal_number);

    std::unique_ptr<Ledger> ledger_;
    std::set<int> kept_;  ///< for the next main process
};

}  // namespace handover
