// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace handoverd {

/// Markup that is safe to send: made of literals of this program, and of text that has been
/// escaped. Nothing else can become one.
class Html {
  public:
    Html() = default;
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
    Html& operator+=(const Html& other);

    class Piece;
    /// The pattern, with a piece for each "{}". Throws std::logic_error if there are more or less.
    template <std::size_t Size>
    static Html of(const char (&pattern)[Size], std::initializer_list<Piece> pieces = {}) {
        return fill(std::string_view(pattern, Size - 1), pieces);
    }

  private:
    static Html fill(std::string_view pattern, std::initializer_list<Piece> pieces);

    std::string text_;
};

/// What stands in the place of "{}": markup as it is, text escaped, numbers as "9,120".
class Html::Piece {
  public:
    Piece(const Html& html) : text_(html.text()) {}  // NOLINT(google-explicit-constructor)
    Piece(std::string_view text);                    // NOLINT(google-explicit-constructor)
    Piece(const std::string& text) : Piece(std::string_view(text)) {}  // NOLINT
    Piece(const char* text) : Piece(std::string_view(text)) {}         // NOLINT
    Piece(std::uint64_t number);  // NOLINT(google-explicit-constructor)

    [[nodiscard]] const std::string& text() const noexcept { return text_; }

  private:
    std::string text_;
};

/// Text as it is shown: printable(), and no character of it is markup, neither between tags nor in
/// a quoted attribute.
[[nodiscard]] std::string escaped(std::string_view text);

}  // namespace handoverd
