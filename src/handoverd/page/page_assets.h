// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace handoverd {

/// The document with its style and script inside, made of the files in page/ by embed.cmake.
extern const std::string_view page_document;
/// Tells one such document from another.
extern const std::string_view page_id;
/// Of the style and of the script, as a Content-Security-Policy wants them.
extern const std::string_view page_style_hash;
extern const std::string_view page_script_hash;

}  // namespace handoverd
