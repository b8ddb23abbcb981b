// SPDX-License-Identifier: MIT
#pragma once

#include "bench/bars.h"
#include "bench/measurements.h"
#include "bench/report.h"
#include "bench/results.h"
#include "bench/server.h"

#include <filesystem>
#include <string>
#include <vector>

namespace handover::bench {

struct BenchmarkOptions {
    Programs programs;
    std::filesystem::path out = "build/bench";
    int rounds = 5;
    bool brief = false;
    std::vector<std::string> only = {};  ///< names of servers and measurements; empty: all
};

/// The whole run: every measurement on every server in every round, and what is written about it.
class Benchmark {
  public:
    /// Throws when there is no such name as one of `only`.
    explicit Benchmark(const BenchmarkOptions& options);

    /// Whether handoverd has reached what this form of the run insists on. A server that cannot be
    /// measured is an error in the report and does not end the run.
    bool run();

  private:
    void run_round(int round);
    void run_one(int round, const Measurement& measurement, const ServerKind& kind);
    [[nodiscard]] bool wanted(const Measurement& measurement, const ServerKind& server) const;
    [[nodiscard]] bool insists_on(Verdict::Kind kind) const;
    void write(const std::vector<Verdict>& verdicts, const Circumstances& circumstances) const;

    BenchmarkOptions options_;
    Extent extent_;
    std::vector<ServerKind> servers_;
    std::vector<Measurement> measurements_;
    Results results_;
    std::vector<std::string> errors_;
};

}  // namespace handover::bench
