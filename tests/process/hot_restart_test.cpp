// SPDX-License-Identifier: MIT
// The main promise: the program on disk is replaced, and nobody notices but the next request.

#include "process/held_request.h"
#include "process/process_fixture.h"

namespace handover::test {
namespace {

namespace fs = std::filesystem;

class HotRestart : public ProcessTest {
  protected:
    /// The scenario of the tutorial, with a request in flight. `replace` changes what is found at
    /// the path of the program, `trigger` asks for the handover.
    template <class Replace, class Trigger>
    static void follow_the_tutorial(Daemon& daemon, Replace replace, Trigger trigger) {
        const auto old = daemon.pid();
        EXPECT_EQ(daemon.status().at("version"), HANDOVERD_VERSION);
        HeldRequest held(daemon.address());

        replace();
        trigger(daemon);
        const auto successor = daemon.await_generation(2);
        EXPECT_NE(successor, old);

        const auto answer = daemon.ask();
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.generation, 2U);
        EXPECT_EQ(answer.pid, successor);
        EXPECT_EQ(daemon.status().at("version"), HANDOVERD_VERSION "-next");
        EXPECT_TRUE(held.client().is_quiet()) << "nobody has answered in its place";

        const auto held_answer = answer_in(held.finish());
        EXPECT_EQ(held_answer.status, 200);
        EXPECT_EQ(held_answer.body, "hello world\n");
        EXPECT_EQ(held_answer.generation, 1U);
        EXPECT_EQ(held_answer.pid, old);
        EXPECT_EQ(await_end(old), 0);
        EXPECT_TRUE(daemon.wait_for_only({successor}));
    }

    void replace_program() const { install(handoverd_next_program(), program()); }
};

TEST_F(HotRestart, request_in_flight_completes_in_the_old_binary_after_SIGUSR2) {
    Daemon daemon(directory_, from_copy());
    follow_the_tutorial(
        daemon, [this] { replace_program(); }, [](const Daemon& d) { d.signal(SIGUSR2); });
}

TEST_F(HotRestart, request_in_flight_completes_in_the_old_binary_after_SIGHUP) {
    Daemon daemon(directory_, from_copy());
    follow_the_tutorial(
        daemon, [this] { replace_program(); }, [](const Daemon& d) { d.signal(SIGHUP); });
}

TEST_F(HotRestart, request_in_flight_completes_in_the_old_binary_after_the_reload_command) {
    Daemon daemon(directory_, from_copy());
    follow_the_tutorial(
        daemon, [this] { replace_program(); },
        [](Daemon& d) {
            const auto told = d.reload();
            EXPECT_EQ(told.status, 0) << told.err;
            EXPECT_EQ(told.err, "");
            const auto expected =
                "generation 2 (pid " + std::to_string(d.pid()) + ") took over from 1 in ";
            EXPECT_TRUE(told.out.starts_with(expected)) << told.out;
            EXPECT_TRUE(told.out.ends_with(" ms\n")) << told.out;
        });
}

TEST_F(HotRestart, follows_a_symlink_anew) {
    const auto old_release = directory_ / "handoverd-1";
    const auto new_release = directory_ / "handoverd-2";
    install(handoverd_program(), old_release);
    install(handoverd_next_program(), new_release);
    fs::create_symlink(old_release, program());
    Daemon daemon(directory_, {.program = program()});
    follow_the_tutorial(
        daemon,
        [&] {
            fs::create_symlink(new_release, directory_ / "switch");
            fs::rename(directory_ / "switch", program());
        },
        [](const Daemon& d) { d.signal(SIGUSR2); });
    EXPECT_EQ(ProcessView{daemon.pid()}.executable(), new_release);
}

TEST_F(HotRestart, tells_when_the_successor_is_the_same_build) {
    Daemon daemon(directory_, from_copy());
    const auto told = daemon.reload();
    EXPECT_EQ(told.status, 0) << told.err;
    EXPECT_TRUE(told.out.ends_with("; it is the same build\n")) << told.out;
    const auto last_line = daemon.await_line("took over from 1");
    EXPECT_NE(last_line.find("it is the same build"), std::string::npos) << last_line;
}

TEST_F(HotRestart, goes_back_to_the_version_before) {
    Daemon daemon(directory_, from_copy());
    replace_program();
    EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_EQ(daemon.status().at("version"), HANDOVERD_VERSION "-next");
    install(handoverd_program(), program());
    EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_EQ(daemon.status().at("version"), HANDOVERD_VERSION);
    EXPECT_EQ(daemon.ask().generation, 3U);
}

TEST_F(HotRestart, ten_in_quick_succession_lose_nothing) {
    Daemon daemon(directory_, with_options({}));
    Load keeping(daemon.address(), {"--keep-alive", "--connections", "4", "--rate", "200"});
    Load fresh(daemon.address(), {"--connections", "4", "--rate", "200"});
    for (std::uint64_t number = 2; number <= 11; ++number) {
        const auto told = daemon.reload();
        EXPECT_EQ(told.status, 0) << told.err;
        EXPECT_EQ(daemon.generation(), number);
    }
    keeping.await_answers(10);
    fresh.await_answers(10);
    expect_nothing_lost(keeping);
    const auto report = expect_nothing_lost(fresh);
    EXPECT_EQ(report.last_generation(), 11);
    EXPECT_EQ(daemon.ask().generation, 11U);
}

}  // namespace
}  // namespace handover::test
