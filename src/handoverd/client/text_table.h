// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handoverd {

/// What the terminal can show that a text is for.
struct OutputStyle {
    std::optional<std::size_t> columns = {};  ///< longer lines are cut; nullopt: none is
    bool coloured = false;
};

/// What a text means, which is shown where there are colours.
enum class Style { plain, heading, faint, good, busy, bad };

/// How many columns a printable() text takes on a terminal.
[[nodiscard]] std::size_t columns_of(std::string_view text);
/// A printable() text that takes at most so many; what had to go is an ellipsis.
[[nodiscard]] std::string cut_to(std::size_t columns, std::string_view text);

/// A printable() text, cut and coloured as the output wants it.
struct Cell {
    std::string text;
    Style style = Style::plain;

    [[nodiscard]] std::string in(const OutputStyle& output) const;
};

/// Rows below headings, aligned. Where there is too little room, flexible columns are cut first.
class TextTable {
  public:
    struct Column {
        std::string heading;
        enum class Side { left, right } side = Side::left;
        bool flexible = false;
    };
    explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

    /// One cell for each column.
    void add_row(std::vector<Cell> cells) { lines_.push_back({std::move(cells), {}}); }
    /// On a line of its own, below the row that was added last.
    void add_note(Cell note) { lines_.push_back({{}, std::move(note)}); }

    /// Lines that end in '\n'.
    [[nodiscard]] std::string in(const OutputStyle& output) const;

  private:
    struct Line {
        std::vector<Cell> cells;  ///< empty: it is a note
        Cell note;
    };
    [[nodiscard]] std::vector<std::size_t> natural_widths() const;
    [[nodiscard]] std::vector<std::size_t> widths_in(const OutputStyle& output) const;
    [[nodiscard]] std::string row(const std::vector<Cell>& cells,
                                  const std::vector<std::size_t>& widths, bool coloured) const;

    std::vector<Column> columns_;
    std::vector<Line> lines_;
};

}  // namespace handoverd
