// SPDX-License-Identifier: MIT
#pragma once

#include "handover/unique_fd.h"

#include <functional>
#include <thread>

namespace handoverd {

/// For a command that waits for an answer: gives up when nobody is left who could give it.
///
/// A request may lie in the queue of the admin listener, which the fd store keeps, when the main
/// process is killed. systemd starts the service anew only after ExecReload= has ended, and
/// ExecReload= would wait for what is to be started. It tells $MAINPID (systemd.exec(5)): when that
/// process has ended and nobody serves, the wait is over. Without $MAINPID it is never given up.
class MainProcessWatch {
  public:
    /// Both are called from a thread of its own: `is_served` once when the main process has ended,
    /// and if it is not, `give_up`.
    MainProcessWatch(std::function<bool()> is_served, std::function<void()> give_up);
    /// Ends the wait: the answer has come.
    ~MainProcessWatch();
    MainProcessWatch(const MainProcessWatch&) = delete;
    MainProcessWatch& operator=(const MainProcessWatch&) = delete;

  private:
    void watch() const;

    const std::function<bool()> is_served_;
    const std::function<void()> give_up_;
    handover::UniqueFd main_process_;
    handover::UniqueFd answered_;
    std::thread thread_;
};

}  // namespace handoverd
