// SPDX-License-Identifier: MIT
//
// bench: see the head of tests/bench/run, which prepares what this program needs.

#include "bench/benchmark.h"

#include <CLI/CLI.hpp>

#include <exception>
#include <iostream>

namespace {

using handover::bench::Benchmark;
using handover::bench::BenchmarkOptions;

int run_program(int argc, char** argv) {
    CLI::App app("Measures handoverd and its peers side by side.");
    BenchmarkOptions options;
    app.add_option("--root", options.programs.root)->required();
    app.add_option("--handoverd", options.programs.handoverd)->required();
    app.add_option("--stock-httplib", options.programs.stock_httplib);
    app.add_option("--go-server", options.programs.go_server);
    app.add_option("--out", options.out, "where the report goes")->capture_default_str();
    const auto* rounds = app.add_option("--rounds", options.rounds)->check(CLI::Range(1, 100));
    app.add_flag("--short", options.brief, "one round that fails on lost requests only");
    app.add_option("--only", options.only,
                   "a server or a measurement; may be given more than once");
    CLI11_PARSE(app, argc, argv);
    if (options.brief) {
        if (rounds->empty()) options.rounds = 1;
        if (options.only.empty()) options.only = {"handoverd", handover::bench::control};
    }
    return Benchmark(options).run() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run_program(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "bench: " << error.what() << '\n';
        return 1;
    }
}
