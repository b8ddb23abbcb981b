// SPDX-License-Identifier: MIT
#include "support/terminal_screen.h"

#include <algorithm>
#include <utility>

namespace handover::test {
namespace {

constexpr char escape = '\x1b';

bool is_final(char byte) {
    return byte >= '@' && byte <= '~';
}

std::string utf8(char32_t code) {
    const auto byte = [](char32_t value) { return static_cast<char>(value); };
    if (code < 0x80) return {byte(code)};
    if (code < 0x800) return {byte(0xc0U | code >> 6U), byte(0x80U | (code & 0x3fU))};
    return {byte(0xe0U | code >> 12U), byte(0x80U | (code >> 6U & 0x3fU)),
            byte(0x80U | (code & 0x3fU))};
}

/// Of two or three bytes; more than that nobody writes in a test. 0: not complete yet.
char32_t character_in(std::string_view bytes) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const std::size_t length = at(0) < 0x80 ? 1 : at(0) < 0xe0 ? 2 : 3;
    if (bytes.size() < length) return 0;
    char32_t code = length == 1 ? at(0) : at(0) & (0x7fU >> length);
    for (std::size_t i = 1; i < length; ++i) code = code << 6U | (at(i) & 0x3fU);
    return code;
}

}  // namespace

TerminalScreen::TerminalScreen(std::size_t columns, std::size_t rows)
    : columns_(columns), lines_(rows) {}

void TerminalScreen::write(std::string_view bytes) {
    for (const char byte : bytes) {
        pending_ += byte;
        if (pending_.front() == escape) {
            if (pending_.size() < 3 || !is_final(byte)) {
                if (pending_.size() != 2 || byte == '[') continue;
                surprises_ += "\\x1b" + std::string(1, byte);
            } else {
                take_sequence(pending_.substr(2, pending_.size() - 3), byte);
            }
        } else if (static_cast<unsigned char>(pending_.front()) < 0x20) {
            take_control(byte);
        } else {
            const auto character = character_in(pending_);
            if (character == 0) continue;
            put(character);
        }
        pending_.clear();
    }
}

void TerminalScreen::put(char32_t character) {
    if (character >= 0x7f && character < 0xa0) surprises_ += "a control character";
    if (column_ >= columns_) {
        ++times_too_long_;
        if (!wraps_) return;
        column_ = 0;
        line_feed();
    }
    if (line().size() <= column_) line().resize(column_ + 1, U' ');
    line()[column_++] = character;
}

void TerminalScreen::line_feed() {
    if (++row_ < lines_.size()) return;
    lines_.erase(lines_.begin());
    lines_.emplace_back();
    row_ = lines_.size() - 1;
}

void TerminalScreen::take_control(char byte) {
    if (byte == '\n')
        line_feed();
    else if (byte == '\r')
        column_ = 0;
    else
        surprises_ += "\\x" + std::to_string(byte);
}

void TerminalScreen::take_sequence(const std::string& parameters, char final_byte) {
    if (final_byte == 'm') {
        ++times_coloured_;
    } else if (final_byte == 'H' && parameters.empty()) {
        row_ = column_ = 0;
    } else if (final_byte == 'K' && parameters.empty()) {
        line().resize(std::min(line().size(), column_));
    } else if (final_byte == 'J' && parameters.empty()) {
        line().resize(std::min(line().size(), column_));
        std::fill(lines_.begin() + static_cast<std::ptrdiff_t>(row_) + 1, lines_.end(), U"");
    } else if (final_byte == 'h' || final_byte == 'l') {
        set_mode(parameters, final_byte == 'h');
    } else {
        surprises_ += "\\x1b[" + parameters + final_byte;
    }
}

void TerminalScreen::set_mode(const std::string& parameters, bool on) {
    if (parameters == "?25") {
        cursor_ = on;
    } else if (parameters == "?7") {
        wraps_ = on;
    } else if (parameters == "?1049" && on != alternate_) {
        std::swap(lines_, main_lines_);
        if (on) lines_.assign(main_lines_.size(), U"");
        alternate_ = on;
        row_ = column_ = 0;
    } else {
        surprises_ += "\\x1b[" + parameters + (on ? 'h' : 'l');
    }
}

std::string TerminalScreen::text() const {
    std::string text;
    std::string empty_lines;
    for (const auto& line : lines_) {
        const auto end = line.find_last_not_of(U' ') + 1;
        if (end == 0) {
            empty_lines += '\n';
            continue;
        }
        text += std::exchange(empty_lines, "");
        for (const char32_t character : line.substr(0, end)) text += utf8(character);
        text += '\n';
    }
    return text;
}

void TerminalScreen::resize(std::size_t columns, std::size_t rows) {
    columns_ = columns;
    for (auto* lines : {&lines_, &main_lines_}) {
        lines->resize(rows);
        for (auto& line : *lines) line.resize(std::min(line.size(), columns));
    }
    row_ = std::min(row_, rows - 1);
}

}  // namespace handover::test
