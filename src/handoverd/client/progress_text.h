// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>

namespace handoverd {

/// How far a reload has come, of what /status has answered at `now_ms` by its clock: "generation 4
/// is ready, on probation; generation 3 moved 9,120 of 10,000 connections, 12 s left". printable().
[[nodiscard]] std::string progress_text(const nlohmann::json& status, std::int64_t now_ms);

/// Nothing more happens to this generation, which was asked to hand over: it has done so and
/// drained, or has failed to and serves on, or is not known any more.
[[nodiscard]] bool is_settled(const nlohmann::json& status, std::int64_t generation);

/// What became of its connections: "generation 3 drained: held 10,000 = 10,000 moved". printable().
[[nodiscard]] std::string drain_result(const nlohmann::json& status, std::int64_t generation);

}  // namespace handoverd
