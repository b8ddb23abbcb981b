// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>

namespace handoverd {

/// How far a reload has come, of what /status has answered at `now_ms` by its clock: "generation 4
/// is ready, on probation; generation 3 moved 9,120 of 10,000 connections, 12 s left". printable().
[[nodiscard]] std::string progress_of_reload(const nlohmann::json& status, std::int64_t now_ms);

}  // namespace handoverd
