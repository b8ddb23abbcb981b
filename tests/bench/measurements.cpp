// SPDX-License-Identifier: MIT
#include "bench/measurements.h"

#include "bench/client.h"
#include "bench/results.h"
#include "support/pass_time.h"

#include <iostream>
#include <sstream>
#include <thread>

namespace handover::bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

std::string text_of(milliseconds time) {
    return std::to_string(time.count());
}

/// 64 keep-alive connections. A rate of 0: each sends as soon as it has its answer.
std::vector<std::string> post_load(double rate) {
    return {"--connections=64",
            "--keep-alive",
            "--method=POST",
            "--body-size=16",
            "--rate=" + std::to_string(rate),
            "--timeout-ms=10000",
            "--drain-ms=10000"};
}

Sample measure_throughput(Server& server, const Extent& extent) {
    const double cpu_before = server.cpu_seconds();
    auto client = start_load(
        server.container(), {"--connections=64", "--keep-alive", "--path=" + server.kind().get_path,
                             "--duration-ms=" + text_of(extent.steady)});
    const auto report = client.finish();
    const double cpu = server.cpu_seconds() - cpu_before;
    const auto answered = static_cast<double>(report.answered());
    const double seconds = std::chrono::duration<double>(extent.steady).count();
    return {{"requests per CPU-second", answered / cpu},
            {"requests per second", answered / seconds},
            {"core busy %", 100 * cpu / seconds},
            {"failed", static_cast<double>(report.failed())}};
}

/// What operators do to a server while it is under load.
struct Disturbance {
    std::string verb;
    int times = 0;
    milliseconds pace{};
};

/// The load goes on for one pace before the first and after each. No server can be asked whether it
/// is done with it, and all are to be disturbed alike: so the clock says when the next one is due.
Sample disturb(Server& server, const std::vector<std::string>& load, const Disturbance& what) {
    auto client = start_load(server.container(), load);
    client.await_answers(1);
    auto due = Clock::now();
    std::vector<double> durations;
    int failures = 0;
    for (int i = 0; i < what.times; ++i) {
        std::this_thread::sleep_until(due += what.pace);
        const auto finished = server.systemctl(what.verb);
        durations.push_back(static_cast<double>(finished.duration.count()));
        if (!finished.ok() && ++failures == what.times)  // it would look as if it lost nothing
            throw std::runtime_error("no " + what.verb + " succeeds: " + finished.err +
                                     server.container().journal(server.kind().unit));
    }
    std::this_thread::sleep_until(due += what.pace);
    const auto report = client.stop();
    std::cout << "  " << report << std::endl;
    Sample sample{{"failed", static_cast<double>(report.failed())},
                  {"reconnects", static_cast<double>(report.reconnects)},
                  {"requests", static_cast<double>(report.requests)},
                  {"p99.9 ms", report.p999_ms},
                  {"worst ms", report.max_ms},
                  {"gap ms", report.longest_gap_ms},
                  {"commands failed", failures}};
    if (!durations.empty()) sample["command ms"] = spread_of(durations).median;
    return sample;
}

void add(Sample& sample, const std::string& prefix, const Sample& part) {
    for (const auto& [name, value] : part) sample[prefix + name] = value;
}

/// At a fixed rate and under full load, first left alone: that is the floor of the noise.
Sample measure_disturbed(Server& server, const Extent& extent, const std::string& verb, int times) {
    Sample sample;
    for (const auto& [name, rate] : {std::pair("rate: ", extent.rate), std::pair("full: ", 0.0)}) {
        const auto load = post_load(rate);
        add(sample, std::string(name) + "steady ", disturb(server, load, {"", 0, extent.steady}));
        add(sample, name, disturb(server, load, {verb, times, extent.pace}));
    }
    return sample;
}

Sample measure_reload(Server& server, const Extent& extent) {
    return measure_disturbed(server, extent, "reload", extent.reloads);
}

Sample measure_restart(Server& server, const Extent& extent) {
    return measure_disturbed(server, extent, "restart", extent.restarts);
}

double milliseconds_of(Server& server, const std::string& verb) {
    return static_cast<double>(server.systemctl(verb).duration.count());
}

/// Through a reload, if it has one, and then through a restart.
Sample measure_idle_through_both(Server& server, const Extent& extent) {
    Sample sample;
    auto idle = start_idle(server.container(), extent.idle_connections);
    sample["MiB with idle connections"] = server.memory_mib();
    const double cpu_before = server.cpu_seconds();
    test::pass_time(extent.idle_watch);
    const double cpu = server.cpu_seconds() - cpu_before;
    const double seconds = std::chrono::duration<double>(extent.idle_watch).count();
    sample["CPU ms per second, idle"] = 1000 * cpu / seconds;
    if (server.kind().reloads) sample["reload ms"] = milliseconds_of(server, "reload");
    sample["restart ms"] = milliseconds_of(server, "restart");
    sample["answered after both"] = static_cast<double>(idle.ask().answered());
    return sample;
}

/// For the sake of those who keep them through a reload only.
Sample measure_idle_through_reload(Server& server, const Extent& extent) {
    // It may have been restarted, and h2o listens some time after systemd calls it started.
    start_asking(server.container()).await_answers(1);
    auto idle = start_idle(server.container(), extent.idle_connections);
    (void)server.systemctl("reload");
    // Some come back from the command before they have begun.
    test::pass_time(extent.pace);
    return {{"answered after reload", static_cast<double>(idle.ask().answered())}};
}

Sample measure_idle(Server& server, const Extent& extent) {
    Sample sample{{"start to ready ms", server.start_to_ready().count()},
                  {"MiB when empty", server.memory_mib()}};
    if (!server.kind().holds_idle_connections) return sample;
    add(sample, "", measure_idle_through_both(server, extent));
    if (server.kind().reloads) add(sample, "", measure_idle_through_reload(server, extent));
    return sample;
}

}  // namespace

Extent Extent::full() {
    Extent extent{};
    extent.steady = 4s;
    extent.pace = 1200ms;
    extent.idle_watch = 3s;
    return extent;
}

Extent Extent::brief() {
    Extent extent{};
    extent.steady = 1500ms;
    extent.pace = 600ms;
    extent.idle_watch = 1s;
    return extent;
}

std::vector<Measurement> all_measurements() {
    const auto always = [](const ServerKind&) { return true; };
    const auto reloads = [](const ServerKind& kind) { return kind.reloads; };
    const auto original = [](const ServerKind& kind) { return !kind.differs_in_reload_only; };
    return {{"throughput", original, measure_throughput},
            {"reload", reloads, measure_reload},
            {"restart", original, measure_restart},
            {"idle", always, measure_idle}};
}

}  // namespace handover::bench
