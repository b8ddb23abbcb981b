// SPDX-License-Identifier: MIT
#pragma once

#include "handover/inheritance.h"
#include "handoverd/config/options.h"

namespace handoverd {

/// Serves until this generation has ended; returns the exit status. Does not return if requests
/// were cut at the drain deadline, as their threads cannot be joined. Throws handover::Error if it
/// cannot start.
[[nodiscard]] int serve(const Options& options, handover::Inheritance inheritance);

}  // namespace handoverd
