// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace handover::http {

/// "Sun, 06 Nov 1994 08:49:37 GMT", whatever the locale (RFC 9110, 5.6.7). Years of four digits.
[[nodiscard]] std::string to_http_date(std::chrono::sys_seconds time);

/// Reads all three forms that are in use: also "Sunday, 06-Nov-94 08:49:37 GMT" and "Sun Nov  6
/// 08:49:37 1994". A year of two digits is the one that is not more than 50 years after `now`.
/// nullopt for what is no date: a header with it is to be ignored. That the day of the week is the
/// right one is not looked at.
[[nodiscard]] std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text,
                                                                      std::chrono::sys_seconds now);

}  // namespace handover::http
