// SPDX-License-Identifier: MIT
#include "bench/report.h"

#include "bench/format.h"

#include <optional>
#include <ostream>

namespace handover::bench {
namespace {

struct Column {
    std::string title;
    std::string quantity;
    int decimals = 0;
    /// Followed by a column with handoverd's median as a multiple of the row's.
    bool with_ratio = false;
};

struct Table {
    std::string title;
    std::string measurement;
    std::string note;
    std::vector<Column> columns;
};

std::vector<Column> columns_of_disturbance(const std::string& verb, const std::string& prefix) {
    return {{"failed", prefix + "failed"},
            {"reconnects", prefix + "reconnects"},
            {"p99.9 ms", prefix + "p99.9 ms", 1},
            {"without", prefix + "steady p99.9 ms", 1},
            {"worst ms", prefix + "worst ms", 1, true},
            {"without", prefix + "steady worst ms", 1},
            {"longest gap ms", prefix + "gap ms", 1},
            {verb + " ms", prefix + "command ms"},
            {verb + "s that failed", prefix + "commands failed"},
            {"requests", prefix + "requests"}};
}

/// `letter`: a at a fixed rate, b under full load.
Table table_of_disturbance(const std::string& verb, int times, const Extent& extent, char letter) {
    const bool at_rate = letter == 'a';
    const std::string load = at_rate ? "at " + number(extent.rate, 0) + " requests per second"
                                     : std::string("under full load");
    const auto pace = static_cast<double>(extent.pace.count());
    return {
        (verb == "reload" ? "2" : "3") + std::string(1, letter) + ". " + std::to_string(times) +
            " × `systemctl " + verb + "` " + load,
        verb,
        "One every " + number(pace, 0) +
            " ms, with keep-alive POST on 64 connections. Without: the same server and load left "
            "alone, the floor of the noise. Latency is that of answered requests from the time at "
            "which they were due, so with the connect; whole seconds of it are connects that did "
            "not fit into the queue of the listener, which in stock cpp-httplib holds 5. A gap is "
            "a time without any answer.",
        columns_of_disturbance(verb, at_rate ? "rate: " : "full: ")};
}

std::vector<Table> all_tables(const Extent& extent) {
    const std::string idle = number(static_cast<double>(extent.idle_connections), 0);
    return {
        {"1. Steady state",
         "throughput",
         "A tiny response on 64 keep-alive connections, each server on one core, the client on "
         "another. CPU time is that of all processes of the server. Where the core was not busy "
         "the "
         "client was the limit; a server that falls asleep in between pays more for each request.",
         {{"requests per CPU-second", "requests per CPU-second", 0, true},
          {"requests per second", "requests per second"},
          {"core busy %", "core busy %"},
          {"failed", "failed"}}},
        table_of_disturbance("reload", extent.reloads, extent, 'a'),
        table_of_disturbance("reload", extent.reloads, extent, 'b'),
        table_of_disturbance("restart", extent.restarts, extent, 'a'),
        table_of_disturbance("restart", extent.restarts, extent, 'b'),
        {"4. " + idle + " idle connections",
         "idle",
         "Then a reload and a restart, then one request on each; for comparison also after a "
         "reload alone. A server that returns from the command before it is done looks fast here.",
         {{"answered after both", "answered after both"},
          {"answered after reload", "answered after reload"},
          {"reload ms", "reload ms"},
          {"restart ms", "restart ms"}}},
        {"5. What it takes",
         "idle",
         "Memory is the proportional set size of all processes of the server; what the kernel "
         "keeps for the connections is the same for all, and not in it.",
         {{"start to ready ms", "start to ready ms", 0, true},
          {"MiB when empty", "MiB when empty", 1},
          {"MiB with " + idle + " idle", "MiB with idle connections", 1, true},
          {"CPU ms per second with " + idle + " idle", "CPU ms per second, idle", 2}}}};
}

std::string ratio_cell(const Results& results, const Table& table, const Column& column,
                       const std::string& server) {
    const auto mine = results.spread(table.measurement, ours, column.quantity);
    const auto other = results.spread(table.measurement, server, column.quantity);
    if (!mine || !other || other->median == 0) return "–";
    return number(mine->median / other->median, 2);
}

void write_row(std::ostream& out, const Results& results, const Table& table,
               const std::string& server) {
    out << "| " << server << " |";
    for (const auto& column : table.columns) {
        const auto spread = results.spread(table.measurement, server, column.quantity);
        out << ' ' << (spread ? cell(*spread, column.decimals) : "–") << " |";
        if (column.with_ratio) out << ' ' << ratio_cell(results, table, column, server) << " |";
    }
    out << '\n';
}

void write_table(std::ostream& out, const Results& results, const Table& table) {
    const auto servers = results.servers_in(table.measurement);
    if (servers.empty()) return;
    out << "\n## " << table.title << "\n\n" << table.note << "\n\n| server |";
    std::string rule = "|---|";
    for (const auto& column : table.columns) {
        out << ' ' << column.title << " |" << (column.with_ratio ? " handoverd is × |" : "");
        rule += column.with_ratio ? "---:|---:|" : "---:|";
    }
    out << '\n' << rule << '\n';
    for (const auto& server : servers) write_row(out, results, table, server);
}

void write_verdicts(std::ostream& out, const std::vector<Verdict>& verdicts) {
    if (verdicts.empty()) return;
    out << "\n## Verdict on handoverd\n\nWhat may be lost is judged by the worst round, the rest "
           "by "
           "the median.\n\n| bar | required | measured | |\n|---|---:|---:|---|\n";
    for (const auto& verdict : verdicts)
        out << "| " << verdict.what << " | " << verdict.required << " | " << verdict.measured
            << " | " << (verdict.passed ? "reached" : "**missed**") << " |\n";
}

}  // namespace

void write_report(std::ostream& out, const Results& results, const std::vector<Verdict>& verdicts,
                  const Circumstances& circumstances) {
    out << "# Benchmark\n\nMedian [min..max] of " << circumstances.rounds
        << " rounds, in each of which every server has its turn, in alternating order.\n\n";
    for (const auto& line : circumstances.lines) out << "- " << line << '\n';
    write_verdicts(out, verdicts);
    for (const auto& table : all_tables(circumstances.extent)) write_table(out, results, table);
}

}  // namespace handover::bench
