// SPDX-License-Identifier: MIT
#include "handoverd/files/cache_control.h"

#include "http/ascii.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace handoverd {
namespace {

using handover::http::is_control_char;
using handover::http::is_token_char;
using handover::http::trim;

bool is_token(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

/// "no-cache", "max-age=60" or "private=\"set-cookie\"" (RFC 9111, 5.2).
bool is_directive(std::string_view text) {
    const auto equals = text.find('=');
    if (!is_token(text.substr(0, equals))) return false;
    if (equals == std::string_view::npos) return true;
    const auto argument = text.substr(equals + 1);
    const bool quoted = argument.size() >= 2 && argument.front() == '"' && argument.back() == '"';
    return is_token(argument) ||
           (quoted && std::none_of(argument.begin(), argument.end(), is_control_char));
}

/// Commas in quotes separate nothing, which those who use them do not need here.
bool is_list_of_directives(std::string_view value) {
    for (;;) {
        const auto comma = value.find(',');
        if (!is_directive(trim(value.substr(0, comma)))) return false;
        if (comma == std::string_view::npos) return true;
        value.remove_prefix(comma + 1);
    }
}

bool fits(std::string_view pattern, std::string_view name) {
    if (pattern.starts_with('.')) return name.ends_with(pattern);
    return name.starts_with(pattern.substr(1));
}

}  // namespace

CacheControl::CacheControl(const std::vector<std::string>& rules) {
    for (const auto& text : rules) {
        auto rule = parse(text);
        if (!rule.pattern.empty())
            rules_.push_back(std::move(rule));
        else if (standard_.empty())
            standard_ = std::move(rule.value);
    }
}

CacheControl::Rule CacheControl::parse(const std::string& text) {
    Rule rule;
    auto value = trim(text);
    if (value.starts_with('.') || value.starts_with('/')) {
        const auto equals = std::min(value.find('='), value.size());
        rule.pattern = trim(value.substr(0, equals));
        value.remove_prefix(std::min(equals + 1, value.size()));
    }
    rule.value = trim(value);
    if (!is_list_of_directives(rule.value))
        throw std::invalid_argument("'" + text +
                                    "' is no rule for caches: write it as no-cache, or with an "
                                    "ending or a directory as .css=max-age=3600");
    return rule;
}

const std::string& CacheControl::value_for(std::string_view name) const {
    for (const auto& rule : rules_)
        if (fits(rule.pattern, name)) return rule.value;
    return standard_;
}

}  // namespace handoverd
