// SPDX-License-Identifier: MIT
// Connections by the thousand, at a real daemon.

#include "process/process_fixture.h"
#include "support/descriptor_limit.h"
#include "support/pass_time.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iostream>
#include <utility>

namespace handover::test {
namespace {

class ManyConnections : public ProcessTest {
  protected:
    /// As many as are promised, or as many as the machine allows.
    static std::size_t as_many_as_possible() {
        constexpr std::size_t promised = 15'000;
        constexpr std::size_t reserve = 500;  // of the daemon, for all but connections
        const std::size_t possible = hard_descriptor_limit() - reserve;
        if (possible < promised)
            std::cout << "ONLY " << possible << " CONNECTIONS: the hard limit of descriptors is "
                      << hard_descriptor_limit() << ", so 15,000 have not been tested\n";
        return std::min(promised, possible);
    }
    /// An hour: none of them shall be closed for its idleness while we look.
    static DaemonOptions with_long_idle_timeout() { return with_options({"--idle-timeout", "1h"}); }
    /// Fails if the process spends more than two ticks of a processor. A sanitizer takes some of
    /// its own: a tenth of a second there, where a loop that asks again and again takes all there
    /// is.
    static void expect_that_it_only_waits(const ProcessView& process, std::chrono::seconds time) {
        const auto ticks = process.cpu_ticks();
        pass_time(time);
        const auto more_ticks = process.cpu_ticks() - ticks;
        std::cout << more_ticks << " ticks of CPU in " << time.count() << " s\n";
        const auto tenth = static_cast<std::size_t>(::sysconf(_SC_CLK_TCK)) / 10;
        EXPECT_LE(more_ticks, memory_is_watched() ? tenth : 2U);
    }
};

TEST_F(ManyConnections, that_stand_idle_cost_no_thread_no_time_and_little_memory) {
    const Daemon daemon(directory_, with_long_idle_timeout());
    const ProcessView process{daemon.pid()};
    EXPECT_EQ(daemon.ask().status, 200);
    const auto threads = process.threads();
    const auto kib = process.resident_kib();

    const auto count = as_many_as_possible();
    IdleConnections idle(daemon.address(), count);
    EXPECT_TRUE(daemon.wait_for_connections(count));
    // A burst may have made more workers than there were; they leave when they have nothing to do.
    EXPECT_TRUE(eventually([&] {
        return daemon.ask().status == 200 && process.threads() <= threads;
    })) << process.threads()
        << " threads, " << threads << " before";
    const auto more_kib = process.resident_kib() - std::min(kib, process.resident_kib());

    std::cout << count << " idle connections: " << more_kib << " KiB more, " << process.threads()
              << " threads\n";
    EXPECT_TRUE(memory_is_watched() || more_kib <= count) << "1 KiB each";
    expect_that_it_only_waits(process, std::chrono::seconds(2));

    const auto report = idle.ask();
    std::cout << "all asked at once: " << report << '\n';
    EXPECT_EQ(report.answered(), static_cast<std::int64_t>(count)) << report;
    EXPECT_EQ(report.closed_while_idle, 0);
    EXPECT_EQ(idle.count(), static_cast<int>(count));
}

TEST_F(ManyConnections, beyond_the_limit_of_descriptors_wait_and_cost_no_time) {
    Daemon daemon(directory_, with_long_idle_timeout());
    const ProcessView process{daemon.pid()};
    // A sanitizer needs a descriptor to look at an object of a class that it has not seen yet.
    EXPECT_EQ(daemon.ask().status, 200);
    // From outside, so that nothing but accepting is short of descriptors.
    const auto limit_to = [&](rlim_t soft) {
        const rlimit limit{soft, hard_descriptor_limit()};
        ASSERT_EQ(::prlimit(daemon.pid(), RLIMIT_NOFILE, &limit, nullptr), 0);
    };
    limit_to(process.descriptors().size() + 20);
    std::vector<RawClient> clients;
    for (int i = 0; i < 40; ++i) {
        clients.emplace_back(daemon.address(), timeout);
        clients.back().send("GET /hello HTTP/1.1\r\nHost: test\r\n\r\n");
    }
    daemon.await_line("Too many open files");
    EXPECT_EQ(clients.front().receive().status, 200) << "who is in is served";

    expect_that_it_only_waits(process, std::chrono::seconds(1));
    EXPECT_TRUE(clients.back().is_quiet());

    limit_to(hard_descriptor_limit());
    for (std::size_t i = 1; i < clients.size(); ++i) EXPECT_EQ(clients[i].receive().status, 200);
}

TEST_F(ManyConnections, are_not_limited_by_the_soft_limit_of_descriptors) {
    const auto start_with_few = [&] {
        const DescriptorLimit limit(256);
        return std::make_unique<Daemon>(directory_, with_long_idle_timeout());
    };
    const auto daemon = start_with_few();
    IdleConnections idle(daemon->address(), 1000);
    EXPECT_TRUE(daemon->wait_for_connections(1000));
    EXPECT_EQ(idle.ask().answered(), 1000);
}

}  // namespace
}  // namespace handover::test
