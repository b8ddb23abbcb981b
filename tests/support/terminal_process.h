// SPDX-License-Identifier: MIT
#pragma once

#include "handover/unique_fd.h"
#include "support/child_process.h"
#include "support/terminal_screen.h"

#include <termios.h>

#include <string>
#include <string_view>
#include <vector>

namespace handover::test {

/// A process whose standard streams are a terminal. It is not the one that controls it, for that
/// would be hung up when the process ends, perhaps before all of its output has been read; so the
/// keys that send signals do not.
///
/// Nothing here waits without a deadline. Failures of the system throw std::system_error.
class TerminalProcess {
  public:
    static constexpr unsigned short columns = 80;
    static constexpr unsigned short rows = 24;

    /// TERM is xterm unless the environment says otherwise.
    explicit TerminalProcess(const std::vector<std::string>& argv,
                             ChildProcess::Environment environment = {});

    /// Waits until this text is on the screen.
    [[nodiscard]] bool wait_for_text(std::string_view text);
    /// Waits until the program has taken the alternate screen, or has given it back.
    [[nodiscard]] bool wait_for_alternate_screen(bool alternate);
    /// Waits until a signal has stopped the process.
    [[nodiscard]] bool wait_for_stop() const;
    /// All that it has ever written is on this screen.
    [[nodiscard]] const TerminalScreen& screen() const noexcept { return screen_; }
    [[nodiscard]] const std::string& output() const noexcept { return output_; }

    void press(std::string_view keys);
    /// And tells the program so, as a terminal does.
    void resize(unsigned short new_columns, unsigned short new_rows);
    void signal(int number) { process_.signal(number); }
    /// Does a key that is pressed now come to the program at once, and unseen?
    [[nodiscard]] bool reads_keys() const;

    /// Waits for its end; its exit status, or -signal. Throws std::runtime_error at the deadline.
    int await_end();

  private:
    struct Ends;
    TerminalProcess(Ends ends, const std::vector<std::string>& argv,
                    ChildProcess::Environment environment);
    template <typename Condition>
    bool wait_until(Condition condition);
    void read_available();

    UniqueFd master_;
    UniqueFd slave_;  // kept open, so that what was written last can be read
    ChildProcess process_;
    TerminalScreen screen_;
    std::string output_;
};

}  // namespace handover::test
