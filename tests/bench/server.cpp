// SPDX-License-Identifier: MIT
#include "bench/server.h"

#include "bench/client.h"

#include <sstream>
#include <stdexcept>

namespace handover::bench {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// Peers stop after five restarts in ten seconds unless told otherwise, and hold 10,000 connections.
constexpr auto drop_in_for_all = R"([Unit]
StartLimitIntervalSec=0
[Service]
CPUAffinity=0
LimitNOFILE=65536
)";

}  // namespace

Server::Server(const std::filesystem::path& root, const ServerKind& kind)
    : kind_(kind), container_(root) {
    install();
    start();
}

void Server::install() const {
    // Debian enables what it installs.
    container_.output_of("systemctl disable --now nginx haproxy h2o 2>&1");
    for (const auto& file : kind_.files) container_.copy_in(file.from, file.to);
    container_.write_file("/etc/systemd/system/" + kind_.unit + ".d/bench.conf",
                          drop_in_for_all + kind_.service_settings);
    container_.output_of("systemctl daemon-reload");
}

void Server::start() {
    auto asking = start_asking(container_);  // how often, is the resolution of the result
    const auto began = Clock::now();
    auto starting = container_.spawn("systemctl start " + kind_.socket_unit + " " + kind_.unit);
    try {
        asking.await_answers(1);
    } catch (const std::runtime_error& error) {
        throw std::runtime_error(error.what() + container_.journal(kind_.unit));
    }
    start_to_ready_ = Clock::now() - began;
    (void)starting.wait(20s);
    (void)asking.stop();
}

test::Finished Server::systemctl(const std::string& verb) const {
    // A service that waits for its idle connections is killed after 90 s, and what it leaves behind
    // after another 90.
    return container_.run("systemctl " + verb + " " + kind_.unit, 240s);
}

std::string Server::cgroup() const {
    return "/sys/fs/cgroup" + container_.property(kind_.unit, "ControlGroup");
}

double Server::cpu_seconds() const {
    std::istringstream lines(container_.read_file(cgroup() + "/cpu.stat"));
    std::string name;
    for (double value = 0; lines >> name >> value;)
        if (name == "usage_usec") return value / 1e6;
    throw std::runtime_error(kind_.unit + ": its cgroup has no CPU time");
}

double Server::memory_mib() const {
    // A process may end between the list and the look at it.
    const auto kib =
        container_.output_of("for pid in $(cat " + cgroup() +
                             "/cgroup.procs); do cat /proc/$pid/smaps_rollup; done "
                             "2>/dev/null | awk '/^Pss:/ { sum += $2 } END { print sum }'");
    return std::stod(kib) / 1024;
}

}  // namespace handover::bench
