// SPDX-License-Identifier: MIT
#include "bench/plot.h"

#include "support/child_process.h"

#include <chrono>
#include <fstream>
#include <ostream>
#include <stdexcept>

namespace handover::bench {
namespace {

using namespace std::chrono_literals;

void write_latency(std::ostream& out, const Results& results, const std::string& server,
                   const std::string& quantity) {
    const auto spread = results.spread("reload", server, quantity).value_or(Spread{});
    out << ' ' << spread.median << ' ' << spread.min << ' ' << spread.max;
}

void write_data(std::ostream& out, const Results& results) {
    for (const auto& server : results.servers_in("reload")) {
        out << '"' << server << '"';
        write_latency(out, results, server, "rate: steady worst ms");
        write_latency(out, results, server, "rate: worst ms");
        for (const std::string quantity : {"full: failed", "full: reconnects"})
            out << ' ' << results.spread("reload", server, quantity).value_or(Spread{}).median;
        out << '\n';
    }
}

}  // namespace

void plot_reload(const Results& results, const std::filesystem::path& directory) {
    if (results.servers_in("reload").empty()) return;
    std::ofstream data(directory / "reload.dat");
    write_data(data, results);
    if (!data.flush()) throw std::runtime_error("cannot write into " + directory.string());
    const std::string script = std::string(HANDOVER_SOURCE_DIR) + "/tests/bench/reload.gnuplot";
    const auto finished = test::run_command(
        {"sh", "-c", "cd \"$1\" && exec gnuplot \"$2\"", "sh", directory.string(), script}, 60s);
    if (!finished.ok()) throw std::runtime_error("gnuplot: " + finished.err);
}

}  // namespace handover::bench
