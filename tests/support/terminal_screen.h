// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace handover::test {

/// What a person sees of the output of a program: a terminal that knows the sequences which
/// handoverd may send, and remembers what else was asked of it.
class TerminalScreen {
  public:
    TerminalScreen(std::size_t columns, std::size_t rows);

    void write(std::string_view bytes);
    /// The lines from the top to the last one with something on it, each with its '\n' and without
    /// trailing spaces.
    [[nodiscard]] std::string text() const;
    /// As a terminal that has got this size: what is no more within is gone.
    void resize(std::size_t columns, std::size_t rows);

    [[nodiscard]] bool is_alternate() const noexcept { return alternate_; }
    [[nodiscard]] bool has_cursor() const noexcept { return cursor_; }
    [[nodiscard]] bool wraps_lines() const noexcept { return wraps_; }
    /// Colours and other attributes, so far.
    [[nodiscard]] std::size_t times_coloured() const noexcept { return times_coloured_; }
    /// Lines that were too long, so far.
    [[nodiscard]] std::size_t times_too_long() const noexcept { return times_too_long_; }
    /// All that this terminal would not have expected, control characters as "\x1b".
    [[nodiscard]] const std::string& surprises() const noexcept { return surprises_; }

  private:
    using Lines = std::vector<std::u32string>;
    void put(char32_t character);
    void line_feed();
    void take_control(char byte);
    void take_sequence(const std::string& parameters, char final_byte);
    void set_mode(const std::string& parameters, bool on);
    [[nodiscard]] std::u32string& line() { return lines_[row_]; }

    std::size_t columns_;
    Lines lines_;
    Lines main_lines_;  // while the alternate screen is shown
    std::size_t row_ = 0;
    std::size_t column_ = 0;
    std::string pending_;  // a sequence or a character that is not complete
    bool alternate_ = false;
    bool cursor_ = true;
    bool wraps_ = true;
    std::size_t times_coloured_ = 0;
    std::size_t times_too_long_ = 0;
    std::string surprises_;
};

}  // namespace handover::test
