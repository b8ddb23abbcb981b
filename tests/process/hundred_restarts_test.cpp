// SPDX-License-Identifier: MIT
// What a single handover would leave behind unnoticed, a hundred of them add up.

#include "process/process_fixture.h"

#include <algorithm>
#include <set>

namespace handover::test {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t last_generation = 101;
constexpr std::size_t listeners = 2;  // http and admin

class HundredRestarts : public ProcessTest {
  protected:
    struct Size {
        std::size_t descriptors;
        std::size_t resident_kib;
    };

    /// Of the current generation, after it has answered some requests and is idle again.
    static Size size_at_rest(const Daemon& daemon) {
        for (int i = 0; i < 50; ++i) EXPECT_EQ(daemon.ask().pid, daemon.pid());
        EXPECT_TRUE(daemon.wait_for_connections(0));
        const ProcessView process{daemon.pid()};
        // The connection that asked for the number of connections is closed last.
        EXPECT_TRUE(eventually([&] { return sockets(process) == listeners; }));
        return {process.descriptors().size(), process.resident_kib()};
    }

    static std::size_t sockets(const ProcessView& process) {
        const auto all = process.descriptors();
        return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const auto& fd) {
            return fd.second.starts_with("socket:");
        }));
    }

    [[nodiscard]] std::set<std::string> files() const {
        std::set<std::string> names;
        for (const auto& file : fs::directory_iterator(directory_.path()))
            names.insert(file.path().filename());
        return names;
    }
};

TEST_F(HundredRestarts, lose_no_request_and_leave_nothing_behind) {
    Daemon daemon(directory_, with_options({}));
    std::vector<pid_t> ended{daemon.pid()};
    EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_EQ(await_end(ended.back()), 0);
    const auto files_before = files();
    const auto size_before = size_at_rest(daemon);

    Load keeping(daemon.address(), {"--keep-alive", "--connections", "4", "--rate", "200"});
    Load fresh(daemon.address(), {"--connections", "4", "--rate", "200"});
    Load slow(daemon.address(), {"--connections", "8", "--rate", "10", "--path",
                                 "/hello?sleep=500ms", "--timeout-ms", "60000"});
    while (daemon.generation() < last_generation) {
        ended.push_back(daemon.pid());
        daemon.signal(SIGUSR2);
        daemon.await_generation(daemon.generation() + 1);
        fresh.await_answers(2);
    }
    keeping.await_answers(10);
    expect_nothing_lost(keeping);
    expect_nothing_lost(slow);
    const auto report = expect_nothing_lost(fresh);
    EXPECT_EQ(report.last_generation(), static_cast<std::int64_t>(last_generation));
    EXPECT_GT(report.generations.size(), last_generation / 2);

    for (std::size_t i = 1; i < ended.size(); ++i) EXPECT_EQ(await_end(ended[i]), 0);
    // All that ended has been reaped above: anything else would be a stray or a zombie.
    EXPECT_EQ(daemon.processes(), std::vector<pid_t>{daemon.pid()});
    EXPECT_EQ(files(), files_before);
    const auto size_after = size_at_rest(daemon);
    EXPECT_EQ(size_after.descriptors, size_before.descriptors);
    // A sanitizer's own memory grows with what it has seen.
    EXPECT_TRUE(memory_is_watched() ||
                size_after.resident_kib < size_before.resident_kib * 5 / 4 + 2048)
        << size_before.resident_kib << " KiB before, " << size_after.resident_kib << " after";
}

}  // namespace
}  // namespace handover::test
