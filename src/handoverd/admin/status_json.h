// SPDX-License-Identifier: MIT
#pragma once

#include "handover/generation.h"

#include <nlohmann/json.hpp>

#include <string>

namespace handoverd {

/// What GET /status answers, as handoverd(8) has it.
[[nodiscard]] nlohmann::json status_json(const handover::Generation& generation);
/// What GET /events sends about an event of a generation.
[[nodiscard]] nlohmann::json as_json(const handover::ServiceEvent& event);

/// JSON on one line. The path of a listener need not be UTF-8: what is not, is replaced.
[[nodiscard]] std::string one_line(const nlohmann::json& json);

}  // namespace handoverd
