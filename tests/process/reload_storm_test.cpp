// SPDX-License-Identifier: MIT
// More reloads than anybody would ask for: each is carried out or refused, and nothing is lost.

#include "process/process_fixture.h"

#include <vector>

namespace handover::test {
namespace {

constexpr int requests = 100;
constexpr int requests_per_second = 10;
constexpr int answers_per_second = 200;

class ReloadStorm : public ProcessTest {
  protected:
    /// Each in another way: by the command, by a signal to whoever serves. A signal to one that
    /// has just been replaced changes nothing or is passed on.
    void ask_for_reloads(const Daemon& daemon, Load& pace) {
        for (int i = 0; i < requests; ++i) {
            if (i % 2 == 0)
                commands_.push_back(daemon.start_reload());
            else
                ::kill(daemon.ask().pid, i % 4 == 1 ? SIGUSR2 : SIGHUP);
            pace.await_answers(answers_per_second / requests_per_second);
        }
    }

    /// How many succeeded. Whoever was refused has been told why.
    int await_commands() {
        int succeeded = 0;
        for (auto& command : commands_) {
            const auto told = command.wait(timeout);
            EXPECT_TRUE(told) << "a reload does not end";
            if (!told) continue;
            if (told->ok()) ++succeeded;
            EXPECT_NE(told->ok() ? told->out : told->err, "");
        }
        return succeeded;
    }

    /// A storm on a daemon whose successors are on probation for so long.
    void expect_that_a_storm_harms_nobody(const std::string& probation);

  private:
    std::vector<ChildProcess> commands_;
};

void ReloadStorm::expect_that_a_storm_harms_nobody(const std::string& probation) {
    auto start = with_options({});
    start.probation = probation;
    Daemon daemon(directory_, start);
    const auto rate = std::to_string(answers_per_second);
    Load keeping(daemon.address(), {"--keep-alive", "--connections", "4", "--rate", rate});
    Load fresh(daemon.address(), {"--connections", "4", "--rate", rate});
    Load slow(daemon.address(),
              {"--connections", "8", "--rate", "10", "--path", "/hello?sleep=300ms"});
    IdleConnections idle(daemon.address(), 50);

    ask_for_reloads(daemon, fresh);
    EXPECT_GT(await_commands(), 0);

    // When the storm is over, a reload is as good as any other; the last signal may still be at
    // work.
    EXPECT_TRUE(eventually([&] {
        const auto told = daemon.start_reload({"--wait"}).wait(timeout);
        return told && told->ok();
    }));
    const auto serving = daemon.ask();
    const auto answered = idle.ask();
    EXPECT_EQ(answered.answered(), 50) << answered;
    EXPECT_EQ(answered.closed_while_idle, 0) << answered;
    expect_nothing_lost(keeping);
    expect_nothing_lost(slow);
    expect_nothing_lost(fresh);
    EXPECT_TRUE(daemon.wait_for_only({serving.pid}));
    EXPECT_GT(serving.generation, static_cast<std::uint64_t>(requests / 20));
}

TEST_F(ReloadStorm, of_a_hundred_requests_in_ten_seconds_harms_nobody) {
    expect_that_a_storm_harms_nobody("0s");
}

TEST_F(ReloadStorm, harms_nobody_while_each_successor_is_on_probation) {
    expect_that_a_storm_harms_nobody("2s");
}

}  // namespace
}  // namespace handover::test
