// SPDX-License-Identifier: MIT
// What another process says is shown to people by the log, the status and the commands: it must not
// be able to write lines of its own, or to command a terminal.

#include "process/managed_fixture.h"
#include "process/scripted_admin.h"
#include "process/shell_successor.h"
#include "support/terminal_process.h"

#include <algorithm>
#include <string>
#include <vector>

namespace handover::test {
namespace {

using namespace std::string_literals;
namespace fs = std::filesystem;

class HostileText : public ManagedTest {
  protected:
    static void expect_one_printable_line(const std::string& text) {
        const auto bad = std::find_if(text.begin(), text.end(), [](char c) {
            return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e;
        });
        EXPECT_EQ(bad - text.begin(), std::ssize(text) - 1) << text;
        EXPECT_TRUE(text.ends_with('\n')) << text;
    }
};

TEST_F(HostileText, of_a_successor_stays_on_its_line) {
    Daemon daemon(directory_, with_manager(from_copy()));
    const std::string reason =
        "no\n2026-01-01T00:00:00.000+00:00 error: disk\r\nMAINPID=1\x1b[31m\0\xff\xc2\x9b"
        "2J\xe2\x80\xae"
        "end"s;
    install_text("#!/bin/sh\n" + shell_says(Message::failed(reason)) + "\n",
                 std::filesystem::perms::owner_all, program());
    const std::string shown =
        " refused to start: no\\x0a2026-01-01T00:00:00.000+00:00 error: disk\\x0d\\x0aMAINPID=1"
        "\\x1b[31m\\x00\\xff\\xc2\\x9b2J\\xe2\\x80\\xaeend; generation 1 serves on";

    const auto told = daemon.reload();
    EXPECT_EQ(told.status, 1);
    expect_one_printable_line(told.err);
    EXPECT_TRUE(told.err.ends_with(shown + "\n")) << told.err;

    const auto line = daemon.await_line("handover failed: ");
    EXPECT_TRUE(line.ends_with(shown)) << line;
    expect_one_printable_line(line + "\n");
    const auto status = manager_.wait_for_message([&](const FakeServiceManager::Message& message) {
        return message.value("STATUS").value_or("").ends_with(shown);
    });
    ASSERT_TRUE(status);
    EXPECT_FALSE(status->says("MAINPID=1")) << status->text;

    const auto asked = run_command(daemon.command("status"), timeout);
    EXPECT_EQ(asked.exit_status, 0) << asked.err;
    const auto last = asked.out.find("the successor (pid ");
    ASSERT_NE(last, std::string::npos) << asked.out;
    expect_one_printable_line(asked.out.substr(last, asked.out.find('\n', last) + 1 - last));
    EXPECT_EQ(daemon.ask().generation, 1U);
}

TEST_F(HostileText, of_the_admin_listener_commands_no_terminal) {
    const ScriptedAdmin admin(
        "unix:" + (directory_ / "admin.sock").string(),
        R"({"generation": 7, "state": "\u001b[2J\nserving", "version": "\u009b31m\u007f",)"
        R"( "build_id": "\u202e", "message": "took\r\nover\u0007", "last_handover": "\u0000",)"
        R"( "listeners": [{"name": "\u2028", "endpoint": "\u001b]0;title\u0007"}]})",
        ScriptedAdmin::Events::none);
    const std::vector<std::vector<std::string>> commands{
        {"status"}, {"status", "--json"}, {"reload"}};
    for (const auto& command : commands) {
        SCOPED_TRACE(testing::PrintToString(command));
        std::vector<std::string> arguments{handoverd_program(), "--admin", admin.address()};
        arguments.insert(arguments.end(), command.begin(), command.end());
        const auto told = run_command(arguments, timeout);
        auto text = told.out + told.err;
        EXPECT_NE(text.find('\\'), std::string::npos) << text;
        std::erase(text, '\n');
        expect_one_printable_line(text + "\n");
    }
}

TEST_F(HostileText, of_the_admin_listener_is_painted_as_text) {
    const std::string body =
        R"({"generation": 7, "state": "\u001b[2J\nserving", "version": "\u009b31m\u007f",)"
        R"( "generations": [{"number": 8, "role": "\u001b[2J probation", "version": "\u0007"}],)"
        R"( "listeners": [{"name": "\u2028", "endpoint": "\u001b]0;title\u0007"}],)"
        R"( "history": [{"result": "\r\nok", "kind": "\u001bc", "reason": "\u001b[?1049l"}],)"
        R"( "message": "took\r\nover\u0007", "last_handover": "\u0000"})";
    for (const auto events : {ScriptedAdmin::Events::none, ScriptedAdmin::Events::stream}) {
        const ScriptedAdmin admin("unix:" + (directory_ / "admin.sock").string(), body, events);
        const auto on_terminal = [&](std::vector<std::string> command) {
            command.insert(command.begin(), handoverd_program());
            command.insert(command.end(), {"--admin", admin.address()});
            return TerminalProcess(command);
        };
        auto watching = on_terminal({"status", "--watch"});
        EXPECT_TRUE(watching.wait_for_text("\\x1b[?1049l")) << watching.screen().text();
        EXPECT_TRUE(watching.screen().is_alternate());
        EXPECT_EQ(watching.screen().surprises(), "");
        for (const auto* command : {"status", "reload"}) {
            auto asking = on_terminal({command});
            (void)asking.await_end();
            EXPECT_NE(asking.screen().text().find('\\'), std::string::npos);
            EXPECT_EQ(asking.screen().surprises(), "");
        }
        fs::remove(directory_ / "admin.sock");
    }
}

}  // namespace
}  // namespace handover::test
