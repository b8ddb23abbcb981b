// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace handover {

/// The GNU build id of this process's executable in hexadecimal, which is the same exactly for the
/// same build (ld(1), --build-id). Empty if it was linked without one. Thread-safe.
[[nodiscard]] std::string build_id();

}  // namespace handover
