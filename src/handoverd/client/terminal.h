// SPDX-License-Identifier: MIT
#pragma once

#include "handoverd/client/text_table.h"

#include <termios.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace handoverd {

/// Is this descriptor a terminal whose cursor can be moved? One of TERM=dumb cannot.
[[nodiscard]] bool has_cursor(int fd);

struct TerminalSize {
    std::size_t columns;
    std::size_t rows;
};
/// nullopt if it is no terminal, or one that does not know.
[[nodiscard]] std::optional<TerminalSize> terminal_size(int fd);

/// How a text is shown there: as wide as the terminal is, and with colours if it has them and
/// NO_COLOR is not set (https://no-color.org). What is no terminal gets everything, and no colour.
[[nodiscard]] OutputStyle output_style_of(int fd);

/// Takes a terminal for lines that change in place: in the alternate screen, without cursor,
/// line wrap or echo. What was there before is there again when it ends.
class FullScreen {
  public:
    /// Borrows both descriptors. Keys are read from `keys`, if that is a terminal.
    FullScreen(int terminal, int keys);
    ~FullScreen();
    FullScreen(const FullScreen&) = delete;
    FullScreen& operator=(const FullScreen&) = delete;

    /// Shows lines that end in '\n'; those for which there is no room are left out. Nothing
    /// flickers: each line is written over the one before it, all in one write.
    void show(std::string_view lines) const;
    /// Gives the terminal back, for a time in which somebody else has it.
    void leave() const;
    /// Takes the terminal again after leave().
    void enter();

  private:
    const int terminal_;
    const int keys_;
    std::optional<termios> before_;  ///< of keys_
};

}  // namespace handoverd
