// SPDX-License-Identifier: MIT
#pragma once

#include "handoverd/config/options.h"

namespace handoverd {

/// `handoverd status --watch`: the status screen on the terminal, kept up to date in place, across
/// handovers and while nobody answers, until 'q' or a signal ends it. Throws UsageError if stdout
/// is no terminal.
[[nodiscard]] int watch(const Options& options);

}  // namespace handoverd
