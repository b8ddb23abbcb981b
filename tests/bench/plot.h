// SPDX-License-Identifier: MIT
#pragma once

#include "bench/results.h"

#include <filesystem>

namespace handover::bench {

/// Draws reload.svg into `directory` with gnuplot: the worst latency of each server, and what it
/// lost. Throws when gnuplot fails; does nothing when no reload was measured.
void plot_reload(const Results& results, const std::filesystem::path& directory);

}  // namespace handover::bench
