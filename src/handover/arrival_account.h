// SPDX-License-Identifier: MIT
#pragma once

#include "handover/tally.h"

#include <cstdint>
#include <optional>
#include <string>

namespace handover {

/// What a generation got from those before it.
struct ArrivalAccount {
    std::uint64_t from = 0;     ///< number of the generation they come from
    std::string how;            ///< "reload", "restart"; empty: nothing has come
    std::uint64_t adopted = 0;  ///< went on here
    /// Closed politely: their listener is not configured any more.
    std::uint64_t unclaimed = 0;
    std::uint64_t unreadable = 0;  ///< messages that this version cannot read; all in them closed
    std::optional<Tally> ended;    ///< what became of all that it held, once it has said so
};

}  // namespace handover
