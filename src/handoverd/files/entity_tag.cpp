// SPDX-License-Identifier: MIT
#include "handoverd/files/entity_tag.h"

#include "http/ascii.h"

#include <algorithm>

namespace handoverd {
namespace {

constexpr std::string_view weak_mark = "W/";

/// The entity tag that the text begins with; empty if there is none.
std::string_view leading_tag(std::string_view text) {
    const std::size_t open = text.starts_with(weak_mark) ? weak_mark.size() : 0;
    if (open >= text.size() || text[open] != '"') return {};
    // A comma may be inside, and an escape means nothing.
    const auto close = text.find('"', open + 1);
    if (close == std::string_view::npos) return {};
    const auto inside = text.substr(open + 1, close - open - 1);
    const bool good = std::none_of(inside.begin(), inside.end(), [](char c) {
        return c == ' ' || handover::http::is_control_char(c);
    });
    return good ? text.substr(0, close + 1) : std::string_view();
}

void skip(std::string_view& text, std::string_view what) {
    text.remove_prefix(std::min(text.find_first_not_of(what), text.size()));
}

}  // namespace

bool same_tag(std::string_view a, std::string_view b, Comparison how) {
    for (auto* tag : {&a, &b}) {
        if (!tag->starts_with(weak_mark)) continue;
        if (how == Comparison::strong) return false;
        tag->remove_prefix(weak_mark.size());
    }
    return a == b;
}

bool names_tag(std::string_view list, std::string_view tag, Comparison how) {
    if (handover::http::trim(list) == "*") return true;
    for (skip(list, " \t,"); !list.empty(); skip(list, " \t,")) {
        const auto each = leading_tag(list);
        if (each.empty()) return false;
        if (same_tag(each, tag, how)) return true;
        list.remove_prefix(each.size());
        skip(list, " \t");
        if (!list.empty() && list.front() != ',') return false;
    }
    return false;
}

}  // namespace handoverd
