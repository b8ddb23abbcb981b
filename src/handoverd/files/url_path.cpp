// SPDX-License-Identifier: MIT
#include "handoverd/files/url_path.h"

#include <algorithm>

namespace handoverd {
namespace {

constexpr std::string_view index_page = "index.html";
/// For metadata of the site that everybody may ask for: certificates are got that way (ACME).
constexpr std::string_view well_known = ".well-known";

bool is_hidden(std::string_view name) {
    const bool is_well_known =
        name.starts_with(well_known) && name.substr(well_known.size()).starts_with('/');
    if (is_well_known) name.remove_prefix(well_known.size());
    while (!name.empty()) {
        const auto slash = std::min(name.find('/'), name.size());
        const auto part = name.substr(0, slash);
        if (part.starts_with('.') && part != "." && part != "..") return true;
        name.remove_prefix(std::min(slash + 1, name.size()));
    }
    return false;
}

bool is_unreserved(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._~").find(c) != std::string_view::npos;
}

/// Percent-encodes all but the unreserved characters and these.
std::string encode(std::string_view text, std::string_view keep) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string result;
    for (const char c : text) {
        if (is_unreserved(c) || keep.find(c) != std::string_view::npos) {
            result += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            result.append({'%', digits[byte / 16U], digits[byte % 16U]});
        }
    }
    return result;
}

}  // namespace

std::optional<std::string> name_asked_for(const std::string& path) {
    if (!path.starts_with('/') || path.find('\0') != std::string::npos) return std::nullopt;
    auto name = path.substr(std::min(path.find_first_not_of('/'), path.size()));
    if (name.empty() || name.ends_with('/')) name += index_page;
    if (is_hidden(name)) return std::nullopt;
    return name;
}

std::string location_with_slash(std::string_view name, std::string_view target) {
    // A name does not begin with a slash, and a backslash, which browsers take for one, is encoded.
    auto location = "/" + encode(name, "/") + "/";
    const auto query = target.find('?');
    if (query != std::string_view::npos)
        location += encode(target.substr(query), "!$&'()*+,;=:@/?%");
    return location;
}

}  // namespace handoverd
