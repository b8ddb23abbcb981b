// SPDX-License-Identifier: MIT
#include "bench/benchmark.h"

#include "bench/plot.h"
#include "bench/surroundings.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>

namespace handover::bench {
namespace {

template <typename T>
std::vector<std::string> names_of(const std::vector<T>& all) {
    std::vector<std::string> names;
    std::transform(all.begin(), all.end(), std::back_inserter(names),
                   [](const T& one) { return one.name; });
    return names;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// Those that are named; all of them if none is.
template <typename T>
std::vector<T> chosen(const std::vector<T>& all, const std::vector<std::string>& only) {
    std::vector<T> some;
    std::copy_if(all.begin(), all.end(), std::back_inserter(some),
                 [&](const T& one) { return contains(only, one.name); });
    return some.empty() ? all : some;
}

/// No name may be in vain: a typing error would cost an hour.
void check_names(const BenchmarkOptions& options) {
    auto known = names_of(all_servers(options.programs));
    for (const auto& name : names_of(all_measurements())) known.push_back(name);
    for (const auto& name : options.only) {
        if (contains(known, name)) continue;
        std::string message = "there is no '" + name + "', only";
        for (const auto& other : known) message += "\n  " + other;
        throw std::runtime_error(message);
    }
}

}  // namespace

Benchmark::Benchmark(const BenchmarkOptions& options)
    : options_(options),
      extent_(options.brief ? Extent::brief() : Extent::full()),
      servers_(chosen(all_servers(options.programs), options.only)),
      measurements_(chosen(all_measurements(), options.only)),
      results_(names_of(servers_)) {
    check_names(options);
}

bool Benchmark::run() {
    Circumstances circumstances{describe_surroundings(options_.programs.root), options_.rounds,
                                extent_};
    for (int round = 0; round < options_.rounds; ++round) run_round(round);
    for (const auto& error : errors_) circumstances.lines.push_back("**Error**: " + error);
    if (const auto note = describe_control(results_); !note.empty())
        circumstances.lines.push_back(note);
    const auto verdicts = judge(results_, extent_.idle_connections);
    write(verdicts, circumstances);
    return errors_.empty() &&
           std::all_of(verdicts.begin(), verdicts.end(), [&](const Verdict& verdict) {
               return verdict.passed || !insists_on(verdict.kind);
           });
}

/// A busy machine makes everything slow, but no machine may make us lose a request.
bool Benchmark::insists_on(Verdict::Kind kind) const {
    return kind == Verdict::Kind::lost || (kind == Verdict::Kind::bar && !options_.brief);
}

/// Every other round goes backwards, so that nobody always comes after the same neighbour.
void Benchmark::run_round(int round) {
    auto order = servers_;
    if (round % 2 == 1) std::reverse(order.begin(), order.end());
    for (const auto& measurement : measurements_)
        for (const auto& server : order)
            if (measurement.applies(server) && wanted(measurement, server))
                run_one(round, measurement, server);
}

/// In the short form the peers are there to show that the client sees what is lost.
bool Benchmark::wanted(const Measurement& measurement, const ServerKind& server) const {
    return !options_.brief || server.name == "handoverd" || measurement.name == "reload";
}

void Benchmark::run_one(int round, const Measurement& measurement, const ServerKind& kind) {
    const std::string what = measurement.name + " of " + kind.name;
    std::cout << "round " << round + 1 << " of " << options_.rounds << ": " << what << std::endl;
    try {
        Server server(options_.programs.root, kind);
        const Sample sample = measurement.run(server, extent_);
        results_.add(measurement.name, kind.name, sample);
        std::cout << "  " << nlohmann::json(sample).dump() << std::endl;
    } catch (const std::exception& error) {
        const std::string reason = error.what();
        errors_.push_back(what + ": " + reason.substr(0, reason.find('\n')));
        std::cout << "  " << reason << std::endl;
    }
}

void Benchmark::write(const std::vector<Verdict>& verdicts,
                      const Circumstances& circumstances) const {
    std::filesystem::create_directories(options_.out);
    std::ofstream(options_.out / "results.json") << results_.as_json().dump(1) << '\n';
    std::ofstream report(options_.out / "report.md");
    write_report(report, results_, verdicts, circumstances);
    if (!report.flush()) throw std::runtime_error("cannot write into " + options_.out.string());
    write_report(std::cout, results_, verdicts, circumstances);
    plot_reload(results_, options_.out);
    std::cout << "\nwritten to " << options_.out.string() << std::endl;
}

}  // namespace handover::bench
