// SPDX-License-Identifier: MIT
#pragma once

#include "handoverd/config/options.h"

namespace handoverd {

/// The commands that ask a running generation over its admin listener. Each prints its answer, or
/// one line on stderr, and returns the exit status: 0, or 1 if it could not ask or was refused.
[[nodiscard]] int reload(const Options& options);
[[nodiscard]] int status(const Options& options);

}  // namespace handoverd
