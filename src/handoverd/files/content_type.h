// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace handoverd {

/// By the ending of the name, in letters of any case; "application/octet-stream" for what is not
/// known. Text says that it is UTF-8; what names its own encoding (XML, SVG) or has only one (JSON)
/// does not.
[[nodiscard]] const char* content_type_of(std::string_view name);

}  // namespace handoverd
