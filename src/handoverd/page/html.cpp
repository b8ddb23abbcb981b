// SPDX-License-Identifier: MIT
#include "handoverd/page/html.h"

#include "handover/printable.h"
#include "handoverd/client/number_format.h"

#include <stdexcept>

namespace handoverd {

Html& Html::operator+=(const Html& other) {
    text_ += other.text_;
    return *this;
}

Html Html::fill(std::string_view pattern, std::initializer_list<Piece> pieces) {
    constexpr std::string_view place = "{}";
    Html html;
    for (const auto& piece : pieces) {
        const auto found = pattern.find(place);
        if (found == std::string_view::npos)
            throw std::logic_error("no place is left for a piece in: " + std::string(pattern));
        html.text_ += pattern.substr(0, found);
        html.text_ += piece.text();
        pattern.remove_prefix(found + place.size());
    }
    if (pattern.find(place) != std::string_view::npos)
        throw std::logic_error("a piece is missing in: " + std::string(pattern));
    html.text_ += pattern;
    return html;
}

Html::Piece::Piece(std::string_view text) : text_(escaped(text)) {}

Html::Piece::Piece(std::uint64_t number) : text_(grouped(static_cast<std::int64_t>(number))) {}

std::string escaped(std::string_view text) {
    std::string result;
    for (const char c : handover::printable(text)) switch (c) {
            case '&':
                result += "&amp;";
                break;
            case '<':
                result += "&lt;";
                break;
            case '>':
                result += "&gt;";
                break;
            case '"':
                result += "&quot;";
                break;
            case '\'':
                result += "&#39;";
                break;
            default:
                result += c;
        }
    return result;
}

}  // namespace handoverd
