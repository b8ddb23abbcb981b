// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace handoverd {

/// How two entity tags are compared (RFC 9110, 8.8.3.2).
enum class Comparison {
    strong,  ///< the same, and neither is weak
    weak,    ///< the same but for W/
};

[[nodiscard]] bool same_tag(std::string_view a, std::string_view b, Comparison how);

/// Does the list of an If-Match or If-None-Match name this tag? "*" names all. What follows the
/// first thing in it that is no entity tag names nothing.
[[nodiscard]] bool names_tag(std::string_view list, std::string_view tag, Comparison how);

}  // namespace handoverd
