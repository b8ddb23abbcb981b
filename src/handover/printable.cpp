// SPDX-License-Identifier: MIT
#include "handover/printable.h"

#include <array>
#include <cstddef>

namespace handover {
namespace {

struct Character {
    char32_t code = 0;
    std::size_t bytes = 0;  ///< 0: the text does not begin with one
};

/// Strictly: in no other than its shortest form (RFC 3629). `text` is not empty.
Character first_in(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text[0]);
    if (lead < 0x80) return {lead, 1};
    const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {};
    char32_t code = lead & (0x7fU >> bytes);
    for (const char next : text.substr(1, bytes - 1)) {
        const auto byte = static_cast<unsigned char>(next);
        if ((byte & 0xc0U) != 0x80) return {};
        code = code << 6U | (byte & 0x3fU);
    }
    constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    if (code < smallest.at(bytes) || code > 0x10ffff || surrogate) return {};
    return {code, bytes};
}

/// Control characters of either set, line separators, and what changes the direction of a text:
/// then a reader sees another order than there is.
bool acts_on_the_reader(char32_t code) {
    const auto within = [code](char32_t first, char32_t last) {
        return code >= first && code <= last;
    };
    return code < 0x20 || within(0x7f, 0x9f) || code == 0x61c || within(0x200e, 0x200f) ||
           within(0x2028, 0x202e) || within(0x2066, 0x2069);
}

void append_escaped(std::string& result, char byte) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto value = static_cast<unsigned char>(byte);
    result.append("\\x").append(1, digits[value >> 4U]).append(1, digits[value & 0xfU]);
}

}  // namespace

std::string printable(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const auto character = first_in(text);
        if (character.bytes == 0 || acts_on_the_reader(character.code)) {
            append_escaped(result, text[0]);  // the rest of it is no UTF-8 any more, and follows
            text.remove_prefix(1);
        } else {
            result.append(text.substr(0, character.bytes));
            text.remove_prefix(character.bytes);
        }
    }
    return result;
}

}  // namespace handover
