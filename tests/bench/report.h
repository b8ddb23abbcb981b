// SPDX-License-Identifier: MIT
#pragma once

#include "bench/bars.h"
#include "bench/results.h"

#include <iosfwd>
#include <string>
#include <vector>

namespace handover::bench {

/// The circumstances of a run, each a line of the report.
struct Circumstances {
    std::vector<std::string> lines;
    int rounds = 0;
    Extent extent{};
};

/// Markdown: the verdicts, and a table for each measurement that has been made.
void write_report(std::ostream& out, const Results& results, const std::vector<Verdict>& verdicts,
                  const Circumstances& circumstances);

}  // namespace handover::bench
