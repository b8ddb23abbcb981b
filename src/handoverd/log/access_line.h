// SPDX-License-Identifier: MIT
#pragma once

#include "http/answered_request.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace handoverd {

/// A text from the network as Apache writes it into its logs: printable ASCII, in which '"' and '\'
/// have a backslash before them, and what is neither is "\n" and its like, or "\xhh". It can be
/// undone, and never ends a line or a field.
[[nodiscard]] std::string escaped_as_apache_does(std::string_view text);

/// One line, without its break, in the combined format of Apache and nginx:
///
///     192.0.2.1 - - [26/Nov/2026:03:04:05 +0000] "GET / HTTP/1.1" 200 12 "-" "curl/7.88.1"
///
/// As Apache's: what is not there is "-", a body of no bytes as well, and the time is when the
/// request came. A client on a unix socket has no address.
[[nodiscard]] std::string combined_line(const handover::http::AnsweredRequest& request);

/// One line, without its break: a JSON object with what combined_line() has, with how long it took
/// and which generation answered. Strings are printable(), so they are UTF-8.
[[nodiscard]] std::string json_line(const handover::http::AnsweredRequest& request,
                                    std::uint64_t generation);

}  // namespace handoverd
