// SPDX-License-Identifier: MIT
#pragma once

#include "handoverd/page/html.h"

#include <nlohmann/json.hpp>

#include <string>

namespace handoverd {

/// What the page shows of a /status: a pure function, and the only place where this markup is made.
/// The page's script asks for it again and puts it in the place of what it shows.
[[nodiscard]] Html live_part(const nlohmann::json& status);

/// The whole document, with live_part() in it. It needs no other file and asks for none; without a
/// script it loads itself anew from time to time.
[[nodiscard]] std::string page(const nlohmann::json& status);

/// The Content-Security-Policy of page() and live_part(): nothing but the document's own style and
/// script, and no frame of anybody around it.
[[nodiscard]] std::string page_policy();

}  // namespace handoverd
