// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

// For sentences that people read.
namespace handover {

/// Rounded up: "20 s".
[[nodiscard]] inline std::string seconds(std::chrono::milliseconds duration) {
    return std::to_string((duration.count() + 999) / 1000) + " s";
}

/// "1 connection", "2 connections".
[[nodiscard]] inline std::string plural(std::size_t count, const std::string& noun) {
    return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace handover
