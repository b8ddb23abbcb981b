// SPDX-License-Identifier: MIT
#include "handoverd/client/text_table.h"

#include <algorithm>
#include <clocale>
#include <cwchar>
#include <numeric>

namespace handoverd {
namespace {

constexpr std::size_t gap = 2;  // between columns
constexpr std::string_view ellipsis = "\u2026";

/// Read from the disk once, and kept: a screen asks for the width of hundreds of texts. 0 if there
/// is none.
locale_t utf8_locale() {
    static const locale_t locale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return locale;
}

/// printable() speaks UTF-8 whatever the environment says, and wcwidth(3) has to know that. In the
/// calling thread, as long as this object lives.
class Utf8 {
  public:
    Utf8() : before_(::uselocale(utf8_locale())) {}
    ~Utf8() { ::uselocale(before_); }
    Utf8(const Utf8&) = delete;
    Utf8& operator=(const Utf8&) = delete;

  private:
    locale_t before_;
};

/// The place behind the last character that ends within so many columns, and the columns up to it.
struct Extent {
    std::size_t bytes = 0;
    std::size_t columns = 0;
};

Extent extent_within(std::size_t columns, std::string_view text) {
    const Utf8 utf8;
    Extent extent;
    std::mbstate_t state{};
    while (extent.bytes < text.size()) {
        wchar_t character = 0;
        const auto length = std::mbrtowc(&character, text.data() + extent.bytes,
                                         text.size() - extent.bytes, &state);
        const bool is_one = length != 0 && length <= text.size() - extent.bytes;
        const int width = is_one ? ::wcwidth(character) : -1;
        const std::size_t needed = width < 0 ? 1 : static_cast<std::size_t>(width);
        if (extent.columns + needed > columns) break;
        extent.bytes += is_one ? length : 1;
        extent.columns += needed;
        if (!is_one) state = {};
    }
    return extent;
}

std::string_view colour_of(Style style) {
    switch (style) {
        case Style::plain:
            return "";
        case Style::heading:
            return "\x1b[1m";
        case Style::faint:
            return "\x1b[2m";
        case Style::good:
            return "\x1b[32m";
        case Style::busy:
            return "\x1b[33m";
        case Style::bad:
            return "\x1b[31m";
    }
    __builtin_unreachable();
}

std::string paint(const std::string& text, Style style, bool coloured) {
    if (!coloured || style == Style::plain || text.empty()) return text;
    return std::string(colour_of(style)) + text + "\x1b[0m";
}

}  // namespace

std::size_t columns_of(std::string_view text) {
    return extent_within(std::string_view::npos, text).columns;
}

std::string cut_to(std::size_t columns, std::string_view text) {
    if (extent_within(columns, text).bytes == text.size()) return std::string(text);
    if (columns == 0) return "";
    const auto kept = text.substr(0, extent_within(columns - 1, text).bytes);
    return std::string(kept.substr(0, kept.find_last_not_of(' ') + 1)).append(ellipsis);
}

std::string Cell::in(const OutputStyle& output) const {
    return paint(output.columns ? cut_to(*output.columns, text) : text, style, output.coloured);
}

std::vector<std::size_t> TextTable::natural_widths() const {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        widths.push_back(columns_of(columns_[i].heading));
        for (const auto& line : lines_)
            if (!line.cells.empty())
                widths[i] = std::max(widths[i], columns_of(line.cells[i].text));
    }
    return widths;
}

std::vector<std::size_t> TextTable::widths_in(const OutputStyle& output) const {
    constexpr std::size_t legible = 8;
    auto widths = natural_widths();
    auto room = output.columns.value_or(std::string::npos);
    room -= std::min(room, gap * (columns_.size() - 1));
    // One column at a time from the widest that may give one.
    const auto give_one = [&](std::size_t floor, bool only_flexible) {
        auto widest = widths.end();
        for (std::size_t i = 0; i < widths.size(); ++i)
            if (widths[i] > floor && (columns_[i].flexible || !only_flexible) &&
                (widest == widths.end() || widths[i] > *widest))
                widest = widths.begin() + static_cast<std::ptrdiff_t>(i);
        if (widest != widths.end()) --*widest;
        return widest != widths.end();
    };
    while (std::accumulate(widths.begin(), widths.end(), std::size_t{0}) > room)
        if (!give_one(legible, true) && !give_one(1, false)) break;
    return widths;
}

std::string TextTable::row(const std::vector<Cell>& cells, const std::vector<std::size_t>& widths,
                           bool coloured) const {
    std::string result;
    std::size_t owed = 0;  // spaces before the next text, so that none ends the line
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const auto text = cut_to(widths[i], cells[i].text);
        const auto spare = widths[i] - columns_of(text);
        const bool right = columns_[i].side == Column::Side::right;
        if (!text.empty())
            result.append(owed + (right ? spare : 0), ' ')
                .append(paint(text, cells[i].style, coloured));
        owed = (text.empty() ? owed + widths[i] : right ? 0 : spare) + gap;
    }
    return result + "\n";
}

std::string TextTable::in(const OutputStyle& output) const {
    const auto widths = widths_in(output);
    std::vector<Cell> headings;
    for (const auto& column : columns_) headings.push_back({column.heading, Style::heading});
    auto result = row(headings, widths, output.coloured);
    // A note begins where the second column does.
    const auto indent = widths.front() + gap;
    auto beside_indent = output;
    if (output.columns) beside_indent.columns = *output.columns - std::min(*output.columns, indent);
    for (const auto& line : lines_)
        result += line.cells.empty() ? std::string(indent, ' ') + line.note.in(beside_indent) + "\n"
                                     : row(line.cells, widths, output.coloured);
    return result;
}

}  // namespace handoverd
