// SPDX-License-Identifier: MIT
#include "soak/soak.h"

#include <algorithm>
#include <iostream>
#include <iterator>
#include <sstream>

namespace handover::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int idle_connections = 200;
// Probation and timeout are short, so that a short soak sees their ends.
constexpr auto options = "--probation 3s --ready-timeout 4s";
constexpr auto to_start_and_end = std::chrono::hours(1);

/// Reconnects that no response had announced.
std::int64_t unannounced(const LoadReport& report) {
    return std::max<std::int64_t>(report.reconnects - report.announced_closes, 0);
}

std::size_t count_words(const std::string& text) {
    std::istringstream words(text);
    return static_cast<std::size_t>(std::distance(std::istream_iterator<std::string>(words), {}));
}

void print_counts(const LoadReport& report) {
    std::cout << report.requests << " requests:";
    for (const auto& [name, count] : report.outcomes) std::cout << ' ' << count << ' ' << name;
    std::cout << "; connections: " << report.connections_opened << " opened, " << report.reconnects
              << " reconnects after " << report.announced_closes << " announced closes, "
              << report.closed_while_idle << " closed while idle; p50 " << report.p50_ms
              << " ms, longest " << report.max_ms << " ms\n";
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Soak::Belongings& belongings) {
    return out << belongings.processes << " processes, " << belongings.stored_fds
               << " descriptors in the fd store, " << belongings.descriptors
               << " in the main process";
}

// ---- beginning

void Soak::begin(const Setting& setting, seconds duration) {
    boot(setting, options);
    reload();  // a service that has been reloaded is what we come back to
    const Answer serving = await_main();
    ASSERT_TRUE(eventually([&] {
        at_first_ = belongings();
        return at_first_.processes == 1;
    }));
    // The connection that asked who serves may not have been closed yet.
    for (int i = 0; i < 20; ++i)
        at_first_.descriptors = std::min(at_first_.descriptors, belongings().descriptors);
    EXPECT_EQ(main_pid(), serving.pid);
    std::cout << "at rest: " << at_first_ << '\n';
    start_clients(duration);
    start_idle_connections();
    began_ = Clock::now();
}

void Soak::start_clients(seconds duration) {
    const milliseconds longest = duration + to_start_and_end;
    const std::vector<std::string> bounds{"--duration-ms", std::to_string(longest.count()),
                                          "--requests", "1000000000"};
    auto loads = start_everybody(bounds);
    // Shorter than the second that a generation has left when too many drain.
    std::vector<std::string> slow{"--path",        "/hello?sleep=500ms",
                                  "--rate",        "8",
                                  "--connections", std::to_string(connections_of_each)};
    slow.insert(slow.end(), bounds.begin(), bounds.end());
    loads.push_back(start_load("slow requests", tcp4, slow));
    for (auto& load : loads) clients_.push_back({std::move(load), {}});
}

void Soak::start_idle_connections() {
    idle_.connections.reset();
    idle_.connections.emplace(start_idle(tcp4, idle_connections));
    idle_.opened += idle_connections;
    idle_.answered += idle_connections;
}

// ---- one action

void Soak::perform(const Action& action, const Step& step) {
    const auto at = std::chrono::duration_cast<milliseconds>(Clock::now() - began_);
    std::cout << at.count() / 1000 << "." << at.count() / 100 % 10 << " s: " << action.name
              << std::endl;
    SCOPED_TRACE(action.name);
    const Cost cost = (this->*action.perform)(step);
    ++performed_[action.name];
    deaths_ += cost.deaths;
    if (cost.stop) ++stops_;
    (void)ask();
    for (auto& client : clients_) {
        client.load.await_answers(2);
        check_client(client, cost);
    }
    check_idle_connections(cost);
    read_journal();
    EXPECT_EQ(property("ActiveState"), "active");
}

void Soak::check_client(Client& client, const Cost& cost) {
    const LoadReport now = client.load.count();
    const LoadReport& before = client.before;
    const auto inside = connections_of_each * cost.deaths;
    std::ostringstream who;
    who << client.load.name() << ": " << now;
    EXPECT_LE(now.failed() - before.failed(), inside) << who.str();
    EXPECT_LE(now.closed_while_idle - before.closed_while_idle, inside) << who.str();
    // Announced in one count, it may be made good in the next.
    EXPECT_LE(unannounced(now), connections_of_each * deaths_) << who.str();
    if (!cost.closes()) {
        EXPECT_EQ(now.announced_closes, before.announced_closes) << who.str();
    }
    // Whatever dies: these are never the price.
    for (const auto outcome : {Outcome::answered_otherwise, Outcome::refused,
                               Outcome::connect_failed, Outcome::malformed, Outcome::timed_out})
        EXPECT_EQ(now.count(outcome), 0) << who.str();
    client.before = now;
}

/// Each of them is answered on the connection that it has had all the time, or was closed, which
/// only a death or a stop may do.
void Soak::check_idle_connections(const Cost& cost) {
    const LoadReport report = idle_.connections->ask();
    idle_.answered += report.answered();
    const auto closed = report.closed_while_idle + report.failed();
    idle_.closed += closed;
    EXPECT_EQ(report.answered() + closed, idle_connections) << report;
    if (!cost.closes()) {
        EXPECT_EQ(closed, 0) << report;
    }
    if (closed != 0) start_idle_connections();
}

/// What has come since the last time: the journal of hours does not fit into its memory.
void Soak::read_journal() {
    account_.read(container().output_of(
        "journalctl --sync; journalctl --no-pager --quiet --output=cat --cursor-file=/run/soak"));
}

// ---- the end

void Soak::finish() {
    std::map<std::string, LoadReport> reports;
    for (auto& client : clients_) reports[client.load.name()] = client.load.stop();
    idle_.connections.reset();
    reload();
    (void)await_main();
    EXPECT_TRUE(eventually([&] { return belongings() == at_first_; }))
        << "at first " << at_first_ << ", now " << belongings();
    read_journal();
    print_counters(reports);
    EXPECT_EQ(account_.begun(), account_.ended() + deaths_ + 1)
        << "each generation has told its end, was killed, or serves";
    EXPECT_FALSE(account_.close_reasons().contains("still there"));
}

Soak::Belongings Soak::belongings() {
    const auto pid = std::to_string(main_pid());
    const auto processes =
        container().output_of("cat /sys/fs/cgroup/system.slice/handoverd.service/cgroup.procs");
    const auto descriptors = container().output_of("ls /proc/" + pid + "/fd");
    return {count_words(processes), std::stoi(property("NFileDescriptorStore")),
            count_words(descriptors)};
}

void Soak::print_counters(const std::map<std::string, LoadReport>& reports) const {
    std::cout << "---- actions, " << deaths_ << " of which killed and " << stops_ << " stopped\n";
    for (const auto& [name, count] : performed_) std::cout << count << " x " << name << '\n';
    std::cout << "---- clients\n";
    for (const auto& [name, report] : reports) {
        std::cout << name << ": ";
        print_counts(report);
    }
    std::cout << idle_connections << " idle connections: " << idle_.opened << " opened, "
              << idle_.answered << " requests answered, " << idle_.closed << " closed by "
              << deaths_ << " deaths and " << stops_ << " stops\n---- server\n"
              << account_.begun() << " generations: " << account_.ended() << " ended, " << deaths_
              << " were killed, 1 serves\nthose that ended " << account_.to_sentence() << '\n'
              << "at rest: " << at_first_ << std::endl;
}

}  // namespace handover::test
