// SPDX-License-Identifier: MIT
#pragma once

#include "handoverd/page/page_model.h"

#include <cstdint>
#include <string>

namespace handoverd {

/// How long ago something was: "just now", "5 min ago".
[[nodiscard]] std::string ago_in_words(std::int64_t ms);

/// What a generation does: "serving", "on probation", "draining, 12 s left".
[[nodiscard]] std::string role_in_words(const PageModel::Generation& generation, std::int64_t now);
/// Where a generation comes from: "took over from 3 in a reload, 5 min ago".
[[nodiscard]] std::string origin_in_words(const PageModel::Generation& generation,
                                          std::int64_t now);
/// Where the connections of a generation went: "64 moved on, 12 closed by client".
[[nodiscard]] std::string endings_in_words(const PageModel::Generation& generation);
/// Between which generations a handover was: "3 to 4", "4" if there was none before.
[[nodiscard]] std::string generations_in_words(const PageModel::Handover& handover);

}  // namespace handoverd
