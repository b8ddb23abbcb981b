// SPDX-License-Identifier: MIT
// What the commands show on a terminal, and how they leave it.

#include "process/connections_fixture.h"
#include "process/process_fixture.h"
#include "process/scripted_admin.h"
#include "support/contains.h"
#include "support/counting_client.h"
#include "support/terminal_process.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace handover::test {
namespace {

class TerminalTest : public ProcessTest {
  protected:
    static std::vector<std::string> status_of(const std::string& admin,
                                              const std::vector<std::string>& options = {}) {
        std::vector<std::string> argv{handoverd_program(), "status", "--admin", admin};
        argv.insert(argv.end(), options.begin(), options.end());
        return argv;
    }
    [[nodiscard]] std::string admin() const {
        return "unix:" + (directory_ / "admin.sock").string();
    }
    static void expect_no_surprises(const TerminalProcess& terminal) {
        EXPECT_EQ(terminal.screen().surprises(), "");
        EXPECT_EQ(terminal.screen().times_too_long(), 0U) << terminal.screen().text();
    }
};

using StatusOnTerminal = TerminalTest;

TEST_F(StatusOnTerminal, has_colours_there_and_none_in_a_pipe) {
    const Daemon daemon(directory_, with_options({}));
    TerminalProcess terminal(status_of(admin()));
    EXPECT_EQ(terminal.await_end(), 0);
    EXPECT_GT(terminal.screen().times_coloured(), 0U) << terminal.output();
    EXPECT_TRUE(contains(terminal.screen().text(), "generation 1 (pid "))
        << terminal.screen().text();
    expect_no_surprises(terminal);
    const auto piped = run_command(status_of(admin()), timeout, {{"TERM", "xterm"}});
    EXPECT_TRUE(piped.ok()) << piped.err;
    EXPECT_FALSE(contains(piped.out, "\x1b")) << piped.out;
}

TEST_F(StatusOnTerminal, has_no_colours_where_they_are_not_wanted) {
    const Daemon daemon(directory_, with_options({}));
    const std::vector<ChildProcess::Environment> unwanted{{{"NO_COLOR", "1"}}, {{"TERM", "dumb"}}};
    for (const auto& environment : unwanted) {
        TerminalProcess terminal(status_of(admin()), environment);
        EXPECT_EQ(terminal.await_end(), 0);
        EXPECT_EQ(terminal.screen().times_coloured(), 0U) << terminal.output();
        EXPECT_TRUE(contains(terminal.screen().text(), "generation 1 (pid "));
        expect_no_surprises(terminal);
    }
}

TEST_F(StatusOnTerminal, is_as_wide_as_that_and_whole_in_a_pipe) {
    auto start = with_options({});
    start.listen = {"unix:" + (directory_ / std::string(60, 'x')).string()};
    const Daemon daemon(directory_, start);
    TerminalProcess terminal(status_of(admin()));
    EXPECT_EQ(terminal.await_end(), 0);
    expect_no_surprises(terminal);
    EXPECT_TRUE(contains(terminal.screen().text(), "x\u2026 ")) << terminal.screen().text();
    EXPECT_TRUE(contains(run_command(status_of(admin()), timeout).out, start.listen.front()));
}

class Watching : public TerminalTest {
  protected:
    [[nodiscard]] TerminalProcess watch(const ChildProcess::Environment& environment = {}) const {
        return TerminalProcess(status_of(admin(), {"--watch"}), environment);
    }
};

TEST_F(Watching, shows_the_next_generation_in_the_place_of_the_one_before) {
    Daemon daemon(directory_, with_options({}));
    auto terminal = watch();
    EXPECT_TRUE(terminal.wait_for_text("generation 1 (pid ")) << terminal.screen().text();
    for (const auto* next : {"generation 2 (pid ", "generation 3 (pid "}) {
        EXPECT_EQ(daemon.reload().status, 0);
        EXPECT_TRUE(terminal.wait_for_text(next)) << terminal.screen().text();
    }
    EXPECT_FALSE(contains(terminal.screen().text(), "generation 1 (pid "));
    EXPECT_FALSE(contains(terminal.output(), "no answer")) << "not for a moment";
    expect_no_surprises(terminal);
}

TEST_F(Watching, gives_the_terminal_back_as_it_was) {
    const Daemon daemon(directory_, with_options({}));
    const std::vector<std::pair<std::string, int>> ends{
        {"q", 0}, {"", SIGINT}, {"", SIGTERM}, {"", SIGHUP}};
    for (const auto& [keys, signal] : ends) {
        SCOPED_TRACE(testing::PrintToString(keys) + ", signal " + std::to_string(signal));
        auto terminal = watch();
        EXPECT_TRUE(terminal.wait_for_text("generation 1 (pid "));
        EXPECT_TRUE(terminal.screen().is_alternate());
        EXPECT_FALSE(terminal.screen().has_cursor());
        EXPECT_TRUE(terminal.reads_keys());
        terminal.press(keys);
        if (signal != 0) terminal.signal(signal);
        EXPECT_EQ(terminal.await_end(), 0);
        EXPECT_FALSE(terminal.screen().is_alternate());
        EXPECT_TRUE(terminal.screen().has_cursor());
        EXPECT_TRUE(terminal.screen().wraps_lines());
        EXPECT_FALSE(terminal.reads_keys());
        EXPECT_EQ(terminal.screen().text(), "") << "nothing is left behind";
    }
}

TEST_F(Watching, lends_the_terminal_to_others_while_it_is_stopped) {
    const Daemon daemon(directory_, with_options({}));
    auto terminal = watch();
    EXPECT_TRUE(terminal.wait_for_text("generation 1 (pid "));
    terminal.signal(SIGTSTP);
    EXPECT_TRUE(terminal.wait_for_stop());
    EXPECT_TRUE(terminal.wait_for_alternate_screen(false));
    EXPECT_FALSE(terminal.reads_keys());
    terminal.signal(SIGCONT);
    EXPECT_TRUE(terminal.wait_for_text("generation 1 (pid "));
    EXPECT_TRUE(terminal.screen().is_alternate());
}

TEST_F(Watching, follows_the_size_of_the_terminal) {
    const ScriptedAdmin admin_listener(admin(),
                                       R"({"generation": 1, "pid": 812, "state": "serving", )"
                                       R"("version": "a-version-as-long-as-a-package-can-have"})",
                                       ScriptedAdmin::Events::stream);
    auto terminal = watch();
    EXPECT_TRUE(terminal.wait_for_text("a-package-can-have\n"));
    terminal.resize(40, 5);
    EXPECT_TRUE(terminal.wait_for_text("handoverd a-version-as-long-as-a-packag\u2026\n"))
        << terminal.screen().text();
    terminal.resize(100, 30);
    EXPECT_TRUE(terminal.wait_for_text("a-package-can-have\n"));
    EXPECT_TRUE(terminal.wait_for_text("\nlast reload: ")) << "below the fifth line";
}

TEST_F(Watching, says_that_nobody_answers_and_goes_on_when_somebody_does) {
    auto terminal = watch();
    EXPECT_TRUE(terminal.wait_for_text("no answer from the admin listener "));
    for (int i = 0; i < 2; ++i) {
        Daemon daemon(directory_, with_options({}));
        EXPECT_TRUE(terminal.wait_for_text("generation 1 (pid " + std::to_string(daemon.pid())))
            << terminal.screen().text();
        EXPECT_FALSE(contains(terminal.screen().text(), "no answer"));
        daemon.signal(SIGKILL);
        EXPECT_TRUE(terminal.wait_for_text("no answer from the admin listener "));
        EXPECT_TRUE(contains(terminal.screen().text(), "generation 1 (pid "))
            << "the last that was known";
    }
    expect_no_surprises(terminal);
}

TEST_F(Watching, follows_events_across_the_end_of_their_stream) {
    ScriptedAdmin admin_listener(admin(), R"({"generation": 1})", ScriptedAdmin::Events::stream);
    auto terminal = watch();
    EXPECT_TRUE(terminal.wait_for_text("generation 1 ("));
    admin_listener.say(R"({"generation": 2})");
    EXPECT_TRUE(terminal.wait_for_text("generation 2 ("));
    admin_listener.end_streams();
    admin_listener.say(R"({"generation": 3})");
    EXPECT_TRUE(terminal.wait_for_text("generation 3 ("));
    for (const auto& question : admin_listener.questions()) EXPECT_EQ(question, "GET /events");
    EXPECT_FALSE(contains(terminal.output(), "no answer"));
}

TEST_F(Watching, asks_again_and_again_where_there_are_no_events) {
    ScriptedAdmin admin_listener(admin(), R"({"generation": 1})", ScriptedAdmin::Events::none);
    auto terminal = watch();
    EXPECT_TRUE(terminal.wait_for_text("generation 1 ("));
    admin_listener.say(R"({"generation": 1, "state": "serving"})");
    EXPECT_TRUE(terminal.wait_for_text("), serving"));
    const auto asked_for_events = [&] {
        const auto questions = admin_listener.questions();
        return std::count(questions.begin(), questions.end(), "GET /events");
    };
    EXPECT_EQ(asked_for_events(), 1);
    admin_listener.say(R"({"generation": 2})");
    EXPECT_TRUE(terminal.wait_for_text("generation 2 ("));
    EXPECT_TRUE(eventually([&] { return asked_for_events() == 2; }))
        << "the next release may have some";
}

TEST_F(Watching, is_refused_where_nothing_can_be_painted_over) {
    const auto piped = run_command(status_of(admin(), {"--watch"}), timeout, {{"TERM", "xterm"}});
    EXPECT_EQ(piped.exit_status, 64);
    EXPECT_EQ(piped.out, "");
    EXPECT_TRUE(contains(piped.err, "leave --watch away")) << piped.err;
    auto dumb = watch({{"TERM", "dumb"}});
    EXPECT_EQ(dumb.await_end(), 64);
    EXPECT_TRUE(contains(dumb.output(), "leave --watch away")) << dumb.output();
    const auto both = run_command(status_of(admin(), {"--watch", "--json"}), timeout);
    EXPECT_EQ(both.exit_status, 64);
    EXPECT_TRUE(contains(both.err, "--json")) << both.err;
}

class ReloadOnTerminal : public TerminalTest {
  protected:
    [[nodiscard]] std::vector<std::string> reload(const std::string& option = "") const {
        std::vector<std::string> argv{handoverd_program(), "reload", "--admin", admin()};
        if (!option.empty()) argv.push_back(option);
        return argv;
    }
};

TEST_F(ReloadOnTerminal, shows_how_far_it_is_and_ends_with_the_usual_sentences) {
    auto start = with_options({});
    start.probation = "1s";
    Daemon daemon(directory_, start);
    TerminalProcess terminal(reload("--wait"));
    EXPECT_TRUE(terminal.wait_for_text("generation 2 is ready, on probation"))
        << terminal.screen().text();
    EXPECT_EQ(terminal.await_end(), 0);
    const auto pid = daemon.await_generation(2);
    const auto shown = terminal.screen().text();
    EXPECT_TRUE(
        shown.starts_with("generation 2 (pid " + std::to_string(pid) + ") took over from 1 in "))
        << shown;
    EXPECT_TRUE(
        shown.ends_with(" ms; it is the same build\n"
                        "generation 2 is the main process: its probation is over\n"))
        << shown;
    EXPECT_EQ(std::count(shown.begin(), shown.end(), '\n'), 2) << "and no more\n" << shown;
    expect_no_surprises(terminal);
}

TEST_F(ReloadOnTerminal, shows_what_has_moved_until_the_old_generation_has_drained) {
    const Daemon daemon(directory_, with_options({}));
    const IdleConnections idle(daemon.address(), 20);
    EXPECT_TRUE(daemon.wait_for_connections(20));
    HeldRequest held(daemon.address());
    TerminalProcess terminal(reload());
    EXPECT_TRUE(terminal.wait_for_text("generation 1 moved 20 of 2")) << terminal.screen().text();
    held.release();
    EXPECT_EQ(terminal.await_end(), 0);
    const auto shown = terminal.screen().text();
    EXPECT_TRUE(contains(shown, "\ngeneration 1 drained: held ")) << shown;
    EXPECT_TRUE(contains(shown, "21 moved")) << shown;
    EXPECT_EQ(std::count(shown.begin(), shown.end(), '\n'), 2) << "and no more\n" << shown;
    expect_no_surprises(terminal);
}

TEST_F(ReloadOnTerminal, shows_a_successor_that_takes_its_time) {
    Daemon daemon(directory_, from_copy());
    install_one_that_stops_itself();
    TerminalProcess terminal(reload());
    EXPECT_TRUE(terminal.wait_for_text("generation 1 starts its successor, 1 s"))
        << terminal.screen().text();
    continue_others(daemon);
    EXPECT_EQ(terminal.await_end(), 0) << terminal.screen().text();
}

TEST_F(ReloadOnTerminal, ends_with_the_reason_if_it_fails) {
    Daemon daemon(directory_, from_copy());
    install_text("#!/bin/sh\nexit 7\n", std::filesystem::perms::owner_all, program());
    TerminalProcess terminal(reload());
    EXPECT_EQ(terminal.await_end(), 1);
    const auto shown = terminal.screen().text();
    EXPECT_TRUE(shown.starts_with("handover failed: ")) << shown;
    EXPECT_TRUE(shown.ends_with("; generation 1 serves on\n")) << shown;
}

class ServeOnTerminal : public TerminalTest {
  protected:
    /// All that it says there until a reload has failed and it has been told to stop.
    [[nodiscard]] std::string said_by_serve(const ChildProcess::Environment& environment) const {
        TerminalProcess terminal(command_line(directory_, from_copy()), environment);
        EXPECT_TRUE(terminal.wait_for_text(") serves")) << terminal.output();
        install_text("#!/bin/sh\nexit 7\n", std::filesystem::perms::owner_all, program());
        const auto told = run_command({handoverd_program(), "reload", "--admin", admin()}, timeout);
        EXPECT_EQ(told.exit_status, 1);
        EXPECT_TRUE(terminal.wait_for_text("handover failed: ")) << terminal.output();
        terminal.signal(SIGTERM);
        EXPECT_EQ(terminal.await_end(), 0);
        EXPECT_EQ(terminal.screen().surprises(), "");
        return terminal.output();
    }
    static bool has_line(const std::string& output, const std::string& begin) {
        return std::regex_search(output, std::regex("(^|\n)" + begin));
    }
};

const std::string time_of_day = R"(\d\d:\d\d:\d\d )";

TEST_F(ServeOnTerminal, begins_its_lines_with_the_time_and_errors_have_a_colour) {
    const auto said = said_by_serve({});
    EXPECT_TRUE(has_line(said, time_of_day + R"(generation 1 \(pid \d+\) serves)")) << said;
    EXPECT_TRUE(has_line(said, time_of_day + "(\x1b\\[[0-9;]+m)+error: handover failed: ")) << said;
}

TEST_F(ServeOnTerminal, has_no_colours_where_they_are_not_wanted) {
    const std::vector<ChildProcess::Environment> unwanted{{{"NO_COLOR", "1"}}, {{"TERM", "dumb"}}};
    for (const auto& environment : unwanted) {
        const auto said = said_by_serve(environment);
        EXPECT_TRUE(has_line(said, time_of_day + "error: handover failed: ")) << said;
        EXPECT_FALSE(contains(said, "\x1b")) << testing::PrintToString(said);
    }
}

}  // namespace
}  // namespace handover::test
