// SPDX-License-Identifier: MIT
#pragma once

#include "handoverd/client/admin_client.h"

namespace handoverd {

/// `handoverd status --watch`: the status screen on the terminal, kept up to date in place, across
/// handovers and while nobody answers, until 'q' or a signal ends it. Throws UsageError if stdout
/// is no terminal, handover::Error (os) if signals cannot be received.
[[nodiscard]] int watch_status(const AdminClient& admin);

}  // namespace handoverd
