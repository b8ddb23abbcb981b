// SPDX-License-Identifier: MIT
// What a successor finds: the command, the directory, the environment and the descriptors of its
// predecessor, and nothing that leaked.

#include "process/process_fixture.h"
#include "process/shell_successor.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

namespace handover::test {
namespace {

namespace fs = std::filesystem;

class SuccessorProcess : public ProcessTest {
  protected:
    /// What the descriptors are, without their numbers.
    static std::vector<std::string> kinds(const ProcessView& process) {
        std::vector<std::string> result;
        for (const auto& [fd, what] : process.descriptors()) result.push_back(what);
        std::sort(result.begin(), result.end());
        return result;
    }

    static std::size_t sockets(const std::vector<std::string>& kinds) {
        return static_cast<std::size_t>(
            std::count_if(kinds.begin(), kinds.end(),
                          [](const std::string& what) { return what.starts_with("socket:"); }));
    }

    static std::map<std::string, std::string> without_listen(
        std::map<std::string, std::string> environment) {
        std::erase_if(environment,
                      [](const auto& variable) { return variable.first.starts_with("LISTEN_"); });
        return environment;
    }
};

TEST_F(SuccessorProcess, has_the_descriptors_of_its_predecessor_and_no_other) {
    auto start = with_options({});
    start.listen = {"127.0.0.1:0", "unix:" + (directory_ / "http.sock").string()};
    Daemon daemon(directory_, start);
    const ProcessView first{daemon.pid()};
    const auto before = kinds(first);
    EXPECT_EQ(sockets(before), 3U);

    for (std::uint64_t number = 2; number <= 4; ++number) {
        daemon.signal(SIGUSR2);
        daemon.await_generation(number);
        // The same sockets by inode, the ledger; the channel is closed soon after the takeover.
        EXPECT_TRUE(eventually([&] { return kinds({daemon.pid()}) == before; }))
            << testing::PrintToString(kinds({daemon.pid()})) << " instead of "
            << testing::PrintToString(before);
    }
}

TEST_F(SuccessorProcess, inherits_close_on_exec_descriptors_only) {
    Daemon daemon(directory_, with_options({}));
    daemon.signal(SIGUSR2);
    const ProcessView process{daemon.await_generation(2)};
    EXPECT_TRUE(eventually([&] { return sockets(kinds(process)) == 2; })) << "channel not closed";
    for (const auto& [fd, what] : process.descriptors()) {
        if (fd <= STDERR_FILENO) continue;
        EXPECT_TRUE(process.is_close_on_exec(fd)) << fd << ": " << what;
    }
}

TEST_F(SuccessorProcess, does_not_get_a_descriptor_that_is_not_close_on_exec) {
    const auto file = directory_ / "stray";
    install_text("", fs::perms::owner_read, file);
    const UniqueFd stray(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    auto start = with_options({});
    start.process.unannounced = {stray.get()};
    Daemon daemon(directory_, start);
    const auto has_it = [&] {
        const auto all = kinds({daemon.pid()});
        return std::find(all.begin(), all.end(), file.string()) != all.end();
    };
    EXPECT_TRUE(has_it());
    daemon.signal(SIGUSR2);
    daemon.await_generation(2);
    EXPECT_FALSE(has_it());
}

TEST_F(SuccessorProcess, is_told_its_listeners_in_the_environment) {
    Daemon daemon(directory_, with_options({}));
    daemon.signal(SIGUSR2);
    const auto pid = daemon.await_generation(2);
    const auto environment = ProcessView{pid}.environment();
    EXPECT_EQ(environment.at("LISTEN_PID"), std::to_string(pid));
    EXPECT_EQ(environment.at("LISTEN_FDS"), "4");
    EXPECT_EQ(environment.at("LISTEN_FDNAMES"), "http:admin:ledger:channel");
}

TEST_F(SuccessorProcess, runs_the_command_as_it_was_started) {
    fs::create_directory(directory_ / "place");
    install(handoverd_program(), program());
    DaemonOptions start{.program = "../handoverd", .options = {"--drain-timeout", "10s", "serve"}};
    start.process.directory = directory_ / "place";
    start.process.environment = {{"HANDOVER_TEST", "a value with spaces"}, {"HANDOVER_EMPTY", ""}};
    Daemon daemon(directory_, start);
    const ProcessView first{daemon.pid()};
    const auto arguments = first.arguments();
    const auto environment = first.environment();
    const auto directory = first.directory();
    EXPECT_EQ(arguments.front(), "../handoverd");
    EXPECT_EQ(environment.at("HANDOVER_TEST"), "a value with spaces");

    for (std::uint64_t number = 2; number <= 3; ++number) {
        install(handoverd_next_program(), program());
        EXPECT_EQ(daemon.reload().status, 0);
        const ProcessView process{daemon.pid()};
        EXPECT_EQ(process.arguments(), arguments);
        EXPECT_EQ(without_listen(process.environment()), environment);
        EXPECT_EQ(process.directory(), directory);
        EXPECT_EQ(process.executable(), program());
    }
    EXPECT_EQ(daemon.status().at("version"), HANDOVERD_VERSION "-next");
}

TEST_F(SuccessorProcess, is_started_the_same_whatever_clients_have_asked_for) {
    auto start = with_options({});
    start.process.environment = {{"WATCHDOG_PID", std::string(ProcessOptions::own_pid)},
                                 {"SYSTEMD_EXEC_PID", std::string(ProcessOptions::own_pid)},
                                 {"HANDOVER_TEST", "a value"}};
    Daemon daemon(directory_, start);
    const ProcessView first{daemon.pid()};
    const auto arguments = first.arguments();
    const auto first_executable = first.executable();
    auto environment = first.environment();
    const std::string body = R"({"argv": ["/bin/sh", "--root=/"], "LD_PRELOAD": "/evil.so"})";
    const std::string rest =
        " HTTP/1.1\r\nHost: test\r\nLISTEN_FDS: 9\r\nLD_PRELOAD: /evil.so\r\nProxy: evil\r\n"
        "HANDOVER_TEST: $(reboot)\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body;
    for (const std::string target :
         {"/hello?--root=/&LD_PRELOAD=/evil.so", "/`reboot`", "/$(reboot)", "/%0aPATH=/evil"}) {
        RawClient client(daemon.address(), timeout);
        client.send(std::string("POST ").append(target).append(rest));
        EXPECT_NE(client.receive().status, 0);
    }
    RawClient admin(daemon.admin(), timeout);
    admin.send("POST /reload?argv=/bin/sh&executable=/bin/sh&LD_PRELOAD=/evil.so" + rest);
    EXPECT_EQ(admin.receive().status, 200);

    const auto pid = daemon.await_generation(2);
    const ProcessView second{pid};
    EXPECT_EQ(second.arguments(), arguments);
    EXPECT_EQ(second.executable(), first_executable);
    environment["WATCHDOG_PID"] = environment["SYSTEMD_EXEC_PID"] = std::to_string(pid);
    EXPECT_EQ(without_listen(second.environment()), environment);
}

TEST_F(SuccessorProcess, is_heard_whatever_its_children_say) {
    Daemon daemon(directory_, from_copy());
    install_text("#!/bin/sh\n( " + shell_says(Message::failed("a child says so")) + "; " +
                     shell_sends("garbage") + " ) & wait $!\nexec " + handoverd_next_program() +
                     " \"$@\"\n",
                 fs::perms::owner_all, program());
    const auto told = daemon.reload();
    EXPECT_EQ(told.status, 0) << told.err;
    EXPECT_EQ(daemon.status().at("version"), HANDOVERD_VERSION "-next");
}

TEST_F(SuccessorProcess, is_found_although_argv0_has_no_path) {
    install(handoverd_program(), program());
    DaemonOptions start{.program = "handoverd"};
    start.process.executable = program();
    Daemon daemon(directory_, start);
    install(handoverd_next_program(), program());
    daemon.signal(SIGUSR2);
    const ProcessView process{daemon.await_generation(2)};
    EXPECT_EQ(process.executable(), program());
    EXPECT_EQ(process.arguments().front(), "handoverd");
    EXPECT_EQ(daemon.status().at("version"), HANDOVERD_VERSION "-next");
}

TEST_F(SuccessorProcess, receives_signals_again) {
    Daemon daemon(directory_, with_options({}));
    for (std::uint64_t number = 2; number <= 4; ++number) {
        daemon.signal(number % 2 == 0 ? SIGUSR2 : SIGHUP);
        daemon.await_generation(number);
    }
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.await_end(), 0);
    EXPECT_TRUE(daemon.wait_for_only({}));
}

TEST_F(SuccessorProcess, takes_over_when_its_predecessor_is_killed_while_it_starts) {
    // The predecessor is stopped when it should say go, and then killed.
    Daemon daemon(directory_, from_copy({"--ready-timeout", "60s"}));
    const auto first = daemon.pid();
    install_text("#!/bin/sh\necho starting >&2\nkill -STOP " + std::to_string(first) + "\nexec " +
                     handoverd_next_program() + " \"$@\"\n",
                 fs::perms::owner_all, program());
    daemon.signal(SIGUSR2);
    daemon.await_line("starting");
    ::kill(first, SIGKILL);
    const auto successor = daemon.await_orphan(2);
    EXPECT_EQ(await_end(first), -SIGKILL);
    EXPECT_EQ(daemon.ask().pid, successor);
    EXPECT_EQ(daemon.status().at("version"), HANDOVERD_VERSION "-next");
}

}  // namespace
}  // namespace handover::test
