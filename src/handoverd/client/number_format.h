// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace handoverd {

/// Numbers for people.

/// "9,120".
[[nodiscard]] std::string grouped(std::int64_t number);
/// "1 connection", "9,120 connections".
[[nodiscard]] std::string count_in_words(std::int64_t count, const std::string& noun);
/// How long something took: "31 ms", "1.2 s", "48 s", "3 min 20 s", "5 min", "2 d 4 h".
[[nodiscard]] std::string duration_in_words(std::int64_t ms);
/// How long ago something was, in one unit: "12 s", "4 min", "3 h", "5 d". Clocks that disagree do
/// not put it into the future.
[[nodiscard]] std::string age_in_words(std::int64_t ms);

}  // namespace handoverd
