// SPDX-License-Identifier: MIT
#pragma once

#include "bench/results.h"

#include <string>

namespace handover::bench {

/// "12 345.6": groups of three digits.
[[nodiscard]] std::string number(double value, int decimals);
/// "12.3 [11.9..14.0]": the median and the spread; one number if all rounds gave the same.
[[nodiscard]] std::string cell(const Spread& spread, int decimals);

}  // namespace handover::bench
