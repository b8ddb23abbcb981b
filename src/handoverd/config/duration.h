// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace handoverd {

/// Times as people write them, a whole number and a unit: "500ms", "20s", "2min", "1h". At most
/// 1193h. nullopt if it is no such text.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// A time that is not negative, as parse_duration() reads it: "20s", or "1500ms" if it is not of
/// whole seconds.
[[nodiscard]] std::string duration_text(std::chrono::milliseconds duration);

/// Why `text` is not a time, and what to write instead; empty if it is one.
[[nodiscard]] std::string fault_of_duration(std::string_view text);

}  // namespace handoverd
