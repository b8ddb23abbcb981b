// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace handoverd {

/// The document with its style and script inside, made of the files in page/ by embed.cmake.
extern const std::string_view page_document;
/// Tells one page_document from another.
extern const std::string_view page_id;
/// Hashes of the style and of the script in it, as a Content-Security-Policy wants them.
extern const std::string_view page_style_hash;
extern const std::string_view page_script_hash;

}  // namespace handoverd
