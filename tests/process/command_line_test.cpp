// SPDX-License-Identifier: MIT
// Options, and how a start fails. For the configuration file see configuration_test.cpp.

#include "process/process_fixture.h"

#include <algorithm>
#include <utility>

namespace handover::test {
namespace {

namespace fs = std::filesystem;

class CommandLine : public ProcessTest {
  protected:
    static Finished run(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), program_under_test());
        return run_command(arguments, timeout);
    }

    /// One line on stderr that contains `part`, nothing on stdout, and this exit status.
    static void expect_refusal(int status, const std::vector<std::string>& arguments,
                               const std::string& part) {
        const auto finished = run(arguments);
        const auto said = testing::PrintToString(arguments) + " says: " + finished.err;
        EXPECT_EQ(finished.exit_status, status) << said;
        EXPECT_EQ(finished.out, "") << said;
        EXPECT_TRUE(finished.err.starts_with("handoverd: ")) << said;
        EXPECT_NE(finished.err.find(part), std::string::npos) << said;
        EXPECT_EQ(std::count(finished.err.begin(), finished.err.end(), '\n'), 1) << said;
    }

    [[nodiscard]] std::string file(const std::string& text) const {
        const auto path = directory_ / "handoverd.conf";
        install_text(text, fs::perms::owner_read, path);
        return path;
    }
};

TEST_F(CommandLine, unknown_option_is_refused) {
    expect_refusal(64, {"--no-such-option"}, "--no-such-option");
    expect_refusal(64, {"no-such-command"}, "no-such-command");
    expect_refusal(64, {"reload", "--no-such-option"}, "--no-such-option");
}

TEST_F(CommandLine, address_that_is_none_is_refused) {
    expect_refusal(64, {"--listen", "nonsense"}, "'nonsense' is not an address to listen on");
    expect_refusal(64, {"--listen", "127.0.0.1:70000"}, "the port 70000 is above 65535");
    expect_refusal(64, {"--listen", "localhost:80"}, "host names are not looked up");
    expect_refusal(64, {"--listen", "::1:80"}, "an IPv6 address needs brackets");
    expect_refusal(64, {"--listen", "unix:relative"}, "the path is not absolute");
    expect_refusal(64, {"--admin", "unix:"}, "the path is empty");
    expect_refusal(64, {"--listen"}, "--listen");
}

TEST_F(CommandLine, time_without_a_unit_or_below_zero_is_refused) {
    expect_refusal(64, {"--drain-timeout", "20"}, "--drain-timeout");
    expect_refusal(64, {"--ready-timeout", "-5s"}, "--ready-timeout");
    expect_refusal(64, {"--probation", "soon"}, "--probation");
    expect_refusal(64, {"--idle-timeout", "20 parsecs"}, "--idle-timeout");
}

TEST_F(CommandLine, other_bad_values_are_refused) {
    expect_refusal(64, {"--root", program()}, "--root");
    expect_refusal(64, {"--root", file("")}, "--root");
    expect_refusal(64, {"--threads", "0"}, "--threads");
    expect_refusal(64, {"--threads", "many"}, "--threads");
    expect_refusal(64, {"--log-level", "loud"}, "--log-level");
}

TEST_F(CommandLine, help_and_version_are_told) {
    const auto help = run({"--help"});
    EXPECT_EQ(help.exit_status, 0);
    for (const auto* text : {"--listen", "--root", "--admin", "--drain-timeout", "--ready-timeout",
                             "--probation", "--idle-timeout", "--threads", "--log-level",
                             "--config", "reload", "status", "dashboard", "check"})
        EXPECT_NE(help.out.find(text), std::string::npos) << text;
    const auto version = run({"--version"});
    EXPECT_EQ(version.exit_status, 0);
    EXPECT_TRUE(version.out.starts_with(HANDOVERD_VERSION " (build ")) << version.out;
    EXPECT_TRUE(run_command({handoverd_next_program(), "--version"}, timeout)
                    .out.starts_with(HANDOVERD_VERSION "-next (build "));
}

TEST_F(CommandLine, second_daemon_on_the_same_port_is_told_who_holds_it) {
    Daemon first(directory_, with_options({}));
    const TemporaryDirectory elsewhere;
    auto start = with_options({});
    start.listen = {first.address().to_string()};
    const auto told = run_to_end(elsewhere, start);
    EXPECT_EQ(told.status, 71);
    EXPECT_EQ(told.err, "handoverd: cannot listen on " + first.address().to_string() +
                            " ('http'), held by handoverd, pid " + std::to_string(first.pid()) +
                            ": Address already in use\n");
    EXPECT_TRUE(fs::is_empty(elsewhere.path())) << "something was started";
    EXPECT_EQ(first.ask().pid, first.pid());
}

TEST_F(CommandLine, second_daemon_with_the_same_admin_path_is_told_who_holds_it) {
    Daemon first(directory_, with_options({}));
    auto start = with_options({});
    start.listen = {"unix:" + (directory_ / "second.sock").string()};
    const auto told = run_to_end(directory_, start);
    EXPECT_EQ(told.status, 71);
    EXPECT_EQ(told.err, "handoverd: cannot listen on " + first.admin().to_string() +
                            " ('admin'), held by handoverd, pid " + std::to_string(first.pid()) +
                            ": Address already in use\n");
    EXPECT_FALSE(fs::exists(directory_ / "second.sock")) << "a listener was left behind";
    EXPECT_EQ(first.status().at("pid"), first.pid());
}

TEST_F(CommandLine, stale_path_is_replaced_and_a_file_is_not) {
    const auto path = directory_ / "http.sock";
    auto start = with_options({});
    start.listen = {"unix:" + path.string()};
    install_text("precious\n", fs::perms::owner_read, path);
    const auto told = run_to_end(directory_, start);
    EXPECT_EQ(told.status, 71);
    EXPECT_TRUE(fs::is_regular_file(path));
    fs::remove(path);
    {
        const Daemon daemon(directory_, start);
        EXPECT_EQ(daemon.ask().pid, daemon.pid());
    }  // killed
    EXPECT_TRUE(fs::is_socket(path));
    const Daemon daemon(directory_, start);
    EXPECT_EQ(daemon.ask().pid, daemon.pid());
}

TEST_F(CommandLine, dashboard_tells_the_way_to_the_admin_listener_of_the_service) {
    const auto told = run_command({program_under_test(), "dashboard"}, timeout,
                                  {{"RUNTIME_DIRECTORY", directory_.path()}});
    EXPECT_EQ(told.exit_status, 0);
    EXPECT_EQ(told.err, "");
    EXPECT_TRUE(
        told.out.starts_with("ssh -L 9998:" + (directory_ / "admin.sock").string() + " root@"))
        << told.out;
    EXPECT_TRUE(told.out.ends_with("\nthen open http://localhost:9998/\n")) << told.out;
}

TEST_F(CommandLine, dashboard_fails_where_no_browser_comes) {
    expect_refusal(78, {"dashboard", "--admin", "unix:@name"}, "ssh forwards no abstract name");
}

}  // namespace
}  // namespace handover::test
