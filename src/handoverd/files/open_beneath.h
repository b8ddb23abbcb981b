// SPDX-License-Identifier: MIT
#pragma once

#include "handover/unique_fd.h"

#include <string>

namespace handoverd {

/// What openat2(2) does with RESOLVE_BENEATH, for where that is forbidden: no system call filter
/// can look into its arguments, so RestrictSUIDSGID=, and with it DynamicUser=, forbids it as a
/// whole (systemd 252 to 257).
///
/// Finds the file of this relative name, not yet opened for anything (O_PATH). Every component is
/// opened in the directory that was found before, and ".." goes back to the one before that, so
/// nothing in the name and no link leads out of `directory`, whoever exchanges what meanwhile.
/// Links that stay inside are followed; an absolute one counts as leading out. Empty, and errno
/// says why: EXDEV for what leads out, ENOENT also for what is a directory by its name.
[[nodiscard]] handover::UniqueFd open_beneath(const handover::UniqueFd& directory,
                                              const std::string& name);

}  // namespace handoverd
