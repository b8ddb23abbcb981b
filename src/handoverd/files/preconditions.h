// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace handoverd {

/// The headers of a request that make it a conditional one (RFC 9110, 13.1); lists in several lines
/// put together.
struct Preconditions {
    std::optional<std::string> if_match = {};
    std::optional<std::string> if_unmodified_since = {};
    std::optional<std::string> if_none_match = {};
    std::optional<std::string> if_modified_since = {};
    std::optional<std::string> if_range = {};
};

/// What tells one state of a file from another.
struct Validators {
    std::string tag;  ///< with its quotes; never weak
    std::chrono::sys_seconds last_modified;
};

enum class PreconditionResult {
    send,          ///< what was asked for: all, or a part of it
    send_all,      ///< all, even if a part was asked for: that is one of another state (If-Range)
    not_modified,  ///< 304
    failed,        ///< 412
};

/// For a GET or HEAD, in the order of RFC 9110, 13.2.2. Dates that are none are ignored.
/// `now`: by the clock of this host, as the Date of the response.
[[nodiscard]] PreconditionResult evaluate(const Preconditions& preconditions,
                                          const Validators& validators,
                                          std::chrono::sys_seconds now);

}  // namespace handoverd
