// SPDX-License-Identifier: MIT
// A reload to a program that cannot take over: the reason is told, the old generation serves on
// without a lost request, and the next reload to a good program works.

#include "process/process_fixture.h"
#include "process/shell_successor.h"

#include <fstream>

namespace handover::test {
namespace {

namespace fs = std::filesystem;

class BrokenSuccessor : public ProcessTest {
  protected:
    static constexpr auto executable = fs::perms::owner_all;

    void replace_by_script(const std::string& commands) const {
        install_text("#!/bin/sh\n" + commands + "\n", executable, program());
    }

    /// Reloads under load after `break_it` and expects the failure with `reason` in it; then again
    /// after `repair`.
    template <class Break, class Repair>
    void expect_to_survive(Daemon& daemon, const std::string& reason, Break break_it,
                           Repair repair) const {
        const auto old = daemon.pid();
        Load keeping(daemon.address(), {"--keep-alive", "--connections", "4", "--rate", "200"});
        Load fresh(daemon.address(), {"--connections", "4", "--rate", "200"});
        break_it();
        for (int time = 0; time < 2; ++time) {
            const auto told = daemon.reload();
            EXPECT_EQ(told.status, 1);
            EXPECT_EQ(told.out, "");
            EXPECT_TRUE(told.err.starts_with("handover failed: ")) << told.err;
            EXPECT_NE(told.err.find(reason), std::string::npos) << told.err;
            EXPECT_TRUE(told.err.ends_with("; generation 1 serves on\n")) << told.err;
            EXPECT_EQ(told.err.find('\n'), told.err.size() - 1) << told.err;
            EXPECT_TRUE(daemon.wait_for_only({old})) << "the failed process is still there";
        }
        EXPECT_TRUE(daemon.wait_for_state("serving"));
        keeping.await_answers(10);
        fresh.await_answers(10);
        EXPECT_EQ(daemon.ask().pid, old);

        repair();
        const auto told = daemon.reload();
        EXPECT_EQ(told.status, 0) << told.err;
        EXPECT_EQ(daemon.ask().generation, 2U);
        fresh.await_answers(10);
        const auto report = expect_nothing_lost(keeping);
        EXPECT_EQ(report.generations.size(), 2U) << report;
        expect_nothing_lost(fresh);
        EXPECT_EQ(await_end(old), 0);
    }

    /// The same where it is the program that is broken.
    template <class Break>
    void expect_to_survive_program(const std::string& reason, Break break_it,
                                   const std::vector<std::string>& options = {}) const {
        Daemon daemon(directory_, from_copy(options));
        expect_to_survive(daemon, reason, break_it,
                          [this] { install(handoverd_next_program(), program()); });
    }
};

TEST_F(BrokenSuccessor, missing_program) {
    expect_to_survive_program("exec " + program().string() + ": No such file or directory",
                              [this] { fs::remove(program()); });
}

TEST_F(BrokenSuccessor, program_that_is_not_executable) {
    expect_to_survive_program("exec " + program().string() + ": Permission denied",
                              [this] { fs::permissions(program(), fs::perms::owner_read); });
}

TEST_F(BrokenSuccessor, program_that_is_not_an_ELF) {
    expect_to_survive_program("exec " + program().string() + ": Exec format error", [this] {
        install_text("this is no program\n", executable, program());
    });
}

TEST_F(BrokenSuccessor, program_that_is_a_directory) {
    expect_to_survive_program("exec " + program().string() + ": Permission denied", [this] {
        fs::remove(program());
        fs::create_directory(program());
        // So that the repair can replace it as it replaces a file.
        fs::rename(program(), directory_ / "a directory");
        fs::create_directory_symlink(directory_ / "a directory", program());
    });
}

TEST_F(BrokenSuccessor, program_that_exits_with_0) {
    expect_to_survive_program("exited with status 0 after ",
                              [this] { replace_by_script("exit 0"); });
}

TEST_F(BrokenSuccessor, program_that_exits_with_1) {
    expect_to_survive_program("exited with status 1 after ",
                              [this] { replace_by_script("exit 1"); });
}

TEST_F(BrokenSuccessor, program_that_crashes) {
    expect_to_survive_program("died of SIGSEGV after ",
                              [this] { replace_by_script("ulimit -c 0; kill -SEGV $$"); });
}

TEST_F(BrokenSuccessor, program_that_hangs) {
    expect_to_survive_program("was not ready within 2000 ms",
                              [this] { replace_by_script("exec sleep 600"); },
                              {"--ready-timeout", "2s"});
}

TEST_F(BrokenSuccessor, program_that_closes_its_channel_and_hangs) {
    expect_to_survive_program(
        "was not ready within 2000 ms",
        [this] { replace_by_script("exec 3>&- 4>&- 5>&- 6>&- 7>&-; exec sleep 600"); },
        {"--ready-timeout", "2s"});
}

TEST_F(BrokenSuccessor, program_that_ignores_SIGTERM_and_hangs) {
    expect_to_survive_program("was not ready within 2000 ms",
                              [this] { replace_by_script("trap '' TERM INT HUP; exec sleep 600"); },
                              {"--ready-timeout", "2s"});
}

TEST_F(BrokenSuccessor, configuration_that_is_broken) {
    const auto file = directory_ / "handoverd.conf";
    const auto write = [&](const std::string& text) {
        install_text(text, fs::perms::owner_read, file);
    };
    write("drain-timeout=10s\n");
    Daemon daemon(directory_, with_options({"--config", file}));
    expect_to_survive(
        daemon, "refused to start: ", [&] { write("drain-timeout=ten seconds\n"); },
        [&] { write("drain-timeout=5s\n"); });
    EXPECT_NE(daemon.log().find("drain-timeout"), std::string::npos);
}

TEST_F(BrokenSuccessor, child_of_it_that_says_that_it_is_ready) {
    Message hello = Message::of(Message::Type::hello);
    hello.fields = {{Message::Tag::protocol, "3"}, {Message::Tag::generation, "2"}};
    const auto lie = shell_says(hello) + "; " + shell_says(Message::of(Message::Type::ready));
    expect_to_survive_program(", before it was ready", [this, &lie] {
        replace_by_script("( " + lie + " ) & wait $!; exit 7");
    });
}

TEST_F(BrokenSuccessor, configuration_with_an_unknown_key) {
    const auto file = directory_ / "handoverd.conf";
    const auto write = [&](const std::string& text) {
        install_text(text, fs::perms::owner_read, file);
    };
    write("threads=16\n");
    Daemon daemon(directory_, with_options({"--config", file}));
    expect_to_survive(
        daemon, "no-such-key", [&] { write("no-such-key=1\n"); }, [&] { write("threads=8\n"); });
}

TEST_F(BrokenSuccessor, new_listener_whose_address_is_in_use) {
    const auto file = directory_ / "handoverd.conf";
    const auto write = [&](const std::string& text) {
        install_text(text, fs::perms::owner_read, file);
    };
    const TemporaryDirectory elsewhere;
    const Daemon other(elsewhere, with_options({}));
    const auto taken = other.address().to_string();
    const std::string own = "unix:" + (directory_ / "http.sock").string();
    write("listen=" + own + "\n");
    Daemon daemon(directory_, {.listen = {}, .options = {"--config", file}});
    expect_to_survive(
        daemon,
        "refused to start: cannot listen on " + taken + " ('http'), held by handoverd, pid " +
            std::to_string(other.pid()) + ": Address already in use",
        [&] { write("listen=" + own + "\nlisten=" + taken + "\n"); },
        [&] { write("listen=" + own + "\n"); });
    EXPECT_EQ(other.ask().pid, other.pid());
}

TEST_F(BrokenSuccessor, directory_of_files_that_is_gone) {
    const auto root = directory_ / "www";
    fs::create_directory(root);
    Daemon daemon(directory_, with_options({"--root", root}));
    expect_to_survive(
        daemon, "refused to start: --root: there is no such directory, ", [&] { fs::remove(root); },
        [&] { fs::create_directory(root); });
}

TEST_F(BrokenSuccessor, working_directory_that_is_gone) {
    const auto place = directory_ / "place";
    fs::create_directory(place);
    auto start = with_options({});
    start.process.directory = place;
    Daemon daemon(directory_, start);
    expect_to_survive(
        daemon, "chdir " + place.string() + ": No such file or directory",
        [&] { fs::remove(place); }, [&] { fs::create_directory(place); });
}

TEST_F(BrokenSuccessor, is_reported_after_a_signal_too) {
    Daemon daemon(directory_, from_copy());
    fs::remove(program());
    daemon.signal(SIGUSR2);
    const auto line = daemon.await_line("handover failed");
    EXPECT_NE(line.find("error: "), std::string::npos) << line;
    EXPECT_NE(line.find("No such file or directory; generation 1 serves on"), std::string::npos);
    const auto sentence = line.substr(line.find("handover failed"));
    EXPECT_TRUE(eventually([&] { return daemon.status().at("last_handover") == sentence; }));
    EXPECT_EQ(daemon.ask().generation, 1U);
}

}  // namespace
}  // namespace handover::test
