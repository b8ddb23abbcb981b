// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace handover {

class AnchorProcess;

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
/// This class is that waiter. Generation::run() makes the process of it, as
/// GenerationOptions::anchor_command says; without such a command it waits by itself.
///
/// Move-only. Not thread-safe; for the first thread of the process, before it makes others.
class Anchor {
  public:
    /// `ledger_fd` is the number that follows GenerationOptions::anchor_command among the
    /// arguments. Takes ownership of the descriptor, and closes it if it is not accepted. nullopt
    /// if it is not what Generation::run() passes on to this very process: somebody called the
    /// command by hand.
    [[nodiscard]] static std::optional<Anchor> resume(int ledger_fd);
    Anchor(Anchor&&) noexcept;
    Anchor& operator=(Anchor&&) noexcept;
    ~Anchor();

    /// Gets a sentence for the log.
    using Report = std::function<void(const std::string&)>;
    /// Waits until the service has ended, and passes signals on meanwhile. Returns the status to
    /// exit with: that of the main process, or 128 and the number of the signal that killed it.
    /// When it ended well, what still drains has `timeout` to finish; a second SIGINT ends the
    /// wait. `report` is called in the same thread. Call it once.
    [[nodiscard]] int wait(std::chrono::milliseconds timeout, const Report& report);

  private:
    explicit Anchor(std::unique_ptr<AnchorProcess> process);

    std::unique_ptr<AnchorProcess> process_;
};

}  // namespace handover
