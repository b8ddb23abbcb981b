// SPDX-License-Identifier: MIT
#pragma once

#include "handoverd/config/options.h"

namespace handoverd {

/// `handoverd check`, after parse_options() has found nothing wrong: says so, or with --print what
/// holds, as a configuration file that says where each line comes from. The exit status.
[[nodiscard]] int check(const Options& options);

}  // namespace handoverd
