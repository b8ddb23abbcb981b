// SPDX-License-Identifier: MIT
#pragma once

#include "handoverd/client/text_table.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>

namespace handoverd {

/// One screen for the operator, of what /status has answered: the generations that live and the
/// last ones that ended, the listeners, the connections, the last handovers. Whoever answered may
/// be an older release, which says less, or hostile: all of it is printable().
///
/// `now_ms`: Unix time by the clock of whoever answered (see now_of()). Lines that end in '\n'.
[[nodiscard]] std::string status_screen(const nlohmann::json& status, const OutputStyle& output,
                                        std::int64_t now_ms);

/// The time at which the answer was given, by the clock that wrote all other times in it; ours if
/// it does not say.
[[nodiscard]] std::int64_t now_of(const nlohmann::json& status);

/// The generations in the answer, newest first; of an older release the one that answered, by what
/// it says about itself.
[[nodiscard]] std::vector<nlohmann::json> generations_in(const nlohmann::json& status);

/// Has this generation ended, in whatever way?
[[nodiscard]] bool is_over(const nlohmann::json& generation);

/// What became of the connections of a generation: "held 66 = 64 moved + 2 still there". Empty if
/// there is no telling.
[[nodiscard]] std::string account_of(const nlohmann::json& generation);

}  // namespace handoverd
