// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

/// The characters of HTTP (RFC 9110, 5.6), free of locales.
namespace handover::http {

[[nodiscard]] constexpr char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] constexpr bool is_control_char(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

inline constexpr auto token_chars = [] {
    std::array<bool, 256> is_token{};
    for (const char t : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        is_token[static_cast<unsigned char>(t)] = true;
    return is_token;
}();

[[nodiscard]] constexpr bool is_token_char(char c) {
    return token_chars[static_cast<unsigned char>(c)];
}

[[nodiscard]] constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
               return to_lower(x) == to_lower(y);
           });
}

/// Without the spaces and tabs at both ends.
[[nodiscard]] constexpr std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace handover::http
