// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace handover {

/// The GNU build id of the running executable in lower-case hexadecimal, for `--version`: the same
/// exactly for the same build (ld(1), --build-id). GenerationStatus and `same_build` of a
/// HandoverResult go by it. Empty if the executable was linked without one. Thread-safe.
[[nodiscard]] std::string build_id();

}  // namespace handover
