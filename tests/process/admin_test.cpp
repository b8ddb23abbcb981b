// SPDX-License-Identifier: MIT
// The commands that ask a running generation, and the listener they ask.

#include "process/process_fixture.h"
#include "process/scripted_admin.h"
#include "support/listening.h"

#include <grp.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace handover::test {
namespace {

namespace fs = std::filesystem;

class Admin : public ProcessTest {
  protected:
    void expect_reload_and_status(const std::string& admin) const {
        auto start = with_options({});
        start.admin = admin;
        Daemon daemon(directory_, start);
        const auto told = daemon.reload();
        EXPECT_EQ(told.status, 0) << told.err;
        EXPECT_TRUE(daemon.wait_for_state("serving"));
        const auto status = run_command(daemon.command("status"), timeout);
        EXPECT_EQ(status.exit_status, 0) << status.err;
        const auto first_line =
            "generation 2 (pid " + std::to_string(daemon.pid()) + "), serving\n";
        EXPECT_TRUE(status.out.starts_with(first_line)) << status.out;
    }
};

TEST_F(Admin, works_on_a_unix_path) {
    expect_reload_and_status("");
}

TEST_F(Admin, works_on_an_abstract_unix_name) {
    expect_reload_and_status("unix:@handover-test-" + std::to_string(::getpid()));
}

TEST_F(Admin, works_on_TCP) {
    // The commands need to know the port: one that was free a moment ago.
    const Daemon other(directory_, with_options({}));
    const TemporaryDirectory elsewhere;
    auto start = with_options({});
    start.admin = "127.0.0.1:0";
    Daemon daemon(elsewhere, start);
    const auto bound = endpoint_in(daemon.await_line(") serves"), "admin").to_string();
    for (const auto* command : {"reload", "status"}) {
        const auto told = run_command({handoverd_program(), command, "--admin", bound}, timeout);
        EXPECT_EQ(told.exit_status, 0) << told.err;
        EXPECT_NE(told.out.find("generation"), std::string::npos) << told.out;
    }
    EXPECT_NE(daemon.await_generation(2), daemon.first_pid());
}

/// What becomes of somebody who asks for the status.
enum class Visit { answered, turned_away, not_let_in, failed };

Visit visit(const Endpoint& endpoint) {
    bool let_in = false;
    try {
        RawClient client(endpoint, timeout);
        let_in = true;
        return client.get("/status").status == 200 ? Visit::answered : Visit::failed;
    } catch (const std::exception& error) {
        if (!let_in) return Visit::not_let_in;
        const bool closed = std::string_view(error.what()).find("in time") == std::string::npos;
        return closed ? Visit::turned_away : Visit::failed;
    }
}

/// In a process of that user.
Visit visit_as(uid_t user, const Endpoint& endpoint) {
    const pid_t child = ::fork();
    if (child != 0) return static_cast<Visit>(await_end(child));
    const bool changed = ::setgroups(0, nullptr) == 0 && ::setresgid(user, user, user) == 0 &&
                         ::setresuid(user, user, user) == 0;
    ::_exit(static_cast<int>(changed ? visit(endpoint) : Visit::failed));
}

constexpr uid_t other_user = 65533;

TEST_F(Admin, turns_other_users_away_also_where_there_is_no_path_with_a_mode) {
    auto start = with_options({});
    start.admin = "unix:@handover-test-private-" + std::to_string(::getpid());
    Daemon daemon(directory_, start);
    EXPECT_EQ(visit_as(nobody, daemon.admin()), Visit::turned_away);
    daemon.await_line("turned away pid ");
    EXPECT_EQ(daemon.status().at("connections"), 1) << "it does not count";
    EXPECT_EQ(daemon.reload().status, 0) << "and we are let in";
    EXPECT_EQ(visit_as(nobody, daemon.admin()), Visit::turned_away) << "by the next one, too";
}

TEST_F(Admin, turns_other_users_away_although_the_mode_of_the_path_lets_them_in) {
    Daemon daemon(directory_, with_options({}));
    fs::permissions(directory_.path(), fs::perms::all);
    EXPECT_EQ(visit_as(nobody, daemon.admin()), Visit::not_let_in) << "the mode by itself";
    fs::permissions(directory_ / "admin.sock", fs::perms::all);
    EXPECT_EQ(visit_as(nobody, daemon.admin()), Visit::turned_away);
    daemon.await_line("of user 65534: only root and user 0 may ask");
    EXPECT_EQ(visit_as(0, daemon.admin()), Visit::answered);
}

TEST_F(Admin, lets_root_and_the_user_of_the_service_in_and_nobody_else) {
    Daemon daemon(directory_, from_copy_as(nobody));
    EXPECT_EQ(visit_as(nobody, daemon.admin()), Visit::answered);
    EXPECT_EQ(visit_as(0, daemon.admin()), Visit::answered);
    fs::permissions(directory_ / "admin.sock", fs::perms::all);
    EXPECT_EQ(visit_as(other_user, daemon.admin()), Visit::turned_away);
    daemon.await_line("of user 65533: only root and user 65534 may ask");
    EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_EQ(visit_as(other_user, daemon.admin()), Visit::turned_away) << "by the next one, too";
}

TEST_F(Admin, unix_path_is_for_its_owner_only) {
    Daemon daemon(directory_, with_options({}));
    const auto mode = [&] { return fs::status(directory_ / "admin.sock").permissions(); };
    EXPECT_EQ(mode(), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_EQ(mode(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(Admin, status_is_JSON_for_programs) {
    Daemon daemon(directory_, with_options({}));
    EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_TRUE(daemon.wait_for_state("serving"));
    auto command = daemon.command("status");
    command.push_back("--json");
    const auto told = run_command(command, timeout);
    EXPECT_EQ(told.exit_status, 0) << told.err;
    const auto json = nlohmann::json::parse(told.out);
    EXPECT_EQ(json.at("generation"), 2);
    EXPECT_EQ(json.at("pid"), daemon.pid());
    EXPECT_EQ(json.at("state"), "serving");
    EXPECT_EQ(json.at("version"), HANDOVERD_VERSION);
    EXPECT_EQ(json.at("build_id").get<std::string>().size(), 40U);
    EXPECT_EQ(json.at("connections"), 1);
    EXPECT_EQ(json.at("last_handover"), "");
    EXPECT_EQ(json.at("listeners"),
              nlohmann::json::array({{{"name", "http"},
                                      {"endpoint", daemon.address().to_string()},
                                      {"inherited", true},
                                      {"source", "predecessor"}},
                                     {{"name", "admin"},
                                      {"endpoint", daemon.admin().to_string()},
                                      {"inherited", true},
                                      {"source", "predecessor"}}}));
}

TEST_F(Admin, status_is_true_as_soon_as_the_generation_serves) {
    Daemon daemon(directory_, with_options({}));
    for (std::uint64_t number = 2; number <= 30; ++number) {
        daemon.signal(SIGUSR2);
        daemon.await_generation(number);
        const auto status = daemon.status();
        EXPECT_EQ(status.at("generation"), number);
        EXPECT_TRUE(status.at("state").get<std::string>().starts_with("serving")) << status;
        EXPECT_EQ(status.at("listeners").size(), 2U);
    }
}

/// However its columns are aligned.
std::set<std::string> lines_of_words(const std::string& text) {
    std::set<std::string> result;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string single;
        for (std::string word; words >> word;) single += (single.empty() ? "" : " ") + word;
        result.insert(single);
    }
    return result;
}

TEST_F(Admin, status_is_readable_for_people) {
    const Daemon daemon(directory_, with_options({}));
    EXPECT_TRUE(daemon.wait_for_state("serving"));
    const auto told = run_command(daemon.command("status"), timeout);
    EXPECT_EQ(told.exit_status, 0) << told.err;
    const auto lines = lines_of_words(told.out);
    for (const auto& line : {"generation 1 (pid " + std::to_string(daemon.pid()) + "), serving",
                             "http " + daemon.address().to_string() + " bound",
                             "admin " + daemon.admin().to_string() + " bound"})
        EXPECT_TRUE(lines.contains(line)) << line << " is not in\n" << told.out;
    EXPECT_NE(told.out.find("\nhandoverd " HANDOVERD_VERSION " (build "), std::string::npos)
        << told.out;
}

TEST_F(Admin, commands_fail_clearly_when_nothing_runs) {
    const auto nowhere = "unix:" + (directory_ / "admin.sock").string();
    for (const auto* command : {"reload", "status"}) {
        const auto told = run_command({handoverd_program(), command, "--admin", nowhere}, timeout);
        EXPECT_EQ(told.exit_status, 1);
        EXPECT_EQ(told.out, "");
        EXPECT_TRUE(told.err.starts_with("handoverd: no answer from the admin listener " + nowhere))
            << told.err;
        EXPECT_NE(told.err.find("is it running?"), std::string::npos) << told.err;
        EXPECT_EQ(told.err.find('\n'), told.err.size() - 1) << told.err;
    }
}

TEST_F(Admin, reload_is_given_up_when_the_main_process_ends_and_nobody_serves) {
    const ListeningSocket silent("unix:" + (directory_ / "admin.sock").string());
    ChildProcess main_process({"cat"});
    ChildProcess reload({handoverd_program(), "reload", "--admin", silent.endpoint().to_string()},
                        {{"MAINPID", std::to_string(main_process.pid())}});
    pollfd asked{silent.fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&asked, 1, static_cast<int>(timeout.count())), 1) << "it does not ask";
    EXPECT_FALSE(reload.wait(std::chrono::milliseconds(100))) << "it does not wait";
    main_process.close_stdin();
    const auto told = reload.wait(timeout);
    ASSERT_TRUE(told);
    EXPECT_EQ(told->exit_status, 1);
    EXPECT_LT(told->duration, std::chrono::seconds(10)) << "far below the ready timeout";
    EXPECT_NE(told->err.find("no answer from the admin listener"), std::string::npos) << told->err;

    ASSERT_TRUE(main_process.wait(timeout));
    const auto later =
        ChildProcess({handoverd_program(), "reload", "--admin", silent.endpoint().to_string()},
                     {{"MAINPID", std::to_string(main_process.pid())}})
            .wait(timeout);
    ASSERT_TRUE(later) << "one that had ended before";
    EXPECT_EQ(later->exit_status, 1);
}

TEST_F(Admin, commands_fail_clearly_when_somebody_else_answers) {
    const Daemon daemon(directory_, with_options({}));
    const auto told = run_command(
        {handoverd_program(), "status", "--admin", daemon.address().to_string()}, timeout);
    EXPECT_EQ(told.exit_status, 1);
    EXPECT_NE(told.err.find("it is not handoverd's admin"), std::string::npos) << told.err;
}

TEST_F(Admin, status_that_is_refused_fails_with_the_reason_and_shows_nothing) {
    const auto address = "unix:" + (directory_ / "admin.sock").string();
    ScriptedAdmin other(address, "", ScriptedAdmin::Events::none, "404 Not Found");
    const std::vector<std::pair<std::string, std::string>> answers{
        {R"({"message": "no \u001b[31mstatus here"})", "no \\x1b[31mstatus here"},
        {R"({"generation": 1, "state": "serving"})", "no reason given"}};
    for (const auto& [body, reason] : answers) {
        other.say(body);
        auto said = "handoverd: " + address;
        said.append(" answers 404: ").append(reason).append("\n");
        for (const auto& options : {std::vector<std::string>{}, {"--json"}}) {
            std::vector<std::string> argv{handoverd_program(), "status", "--admin", address};
            argv.insert(argv.end(), options.begin(), options.end());
            const auto told = run_command(argv, timeout);
            EXPECT_EQ(told.exit_status, 1);
            EXPECT_EQ(told.out, "");
            EXPECT_EQ(told.err, said);
        }
    }
}

/// The local addresses of a process's sockets that listen on TCP, as /proc/PID/net has them.
std::vector<std::string> listening_on_TCP(pid_t pid) {
    const auto process = fs::path("/proc") / std::to_string(pid);
    const auto descriptors = ProcessView{pid}.descriptors();
    std::vector<std::string> result;
    for (const auto* table : {"net/tcp", "net/tcp6"}) {
        std::ifstream in(process / table);
        for (std::string line; std::getline(in, line);) {
            std::istringstream fields(line);
            std::vector<std::string> field{std::istream_iterator<std::string>(fields), {}};
            if (field.size() < 10 || field[3] != "0A") continue;
            const auto socket = "socket:[" + field[9] + "]";
            if (std::any_of(descriptors.begin(), descriptors.end(),
                            [&](const auto& one) { return one.second == socket; }))
                result.push_back(field[1]);
        }
    }
    return result;
}

TEST_F(Admin, is_on_no_TCP_port_unless_it_is_configured_there) {
    ProcessOptions start{.argv = {handoverd_program(), "--listen", "127.0.0.1:0"}};
    start.environment["RUNTIME_DIRECTORY"] = directory_.path();
    ServerProcess process(start);
    const auto sentence = process.await_line(") serves");
    EXPECT_EQ(endpoint_in(sentence, "admin").unix_path(), directory_ / "admin.sock");
    char public_port[16];
    std::snprintf(public_port, sizeof public_port, "0100007F:%04X",
                  endpoint_in(sentence, "http").port());
    EXPECT_EQ(listening_on_TCP(process.first_pid()), std::vector<std::string>{public_port});
}

TEST_F(Admin, public_listener_does_not_reload) {
    const Daemon daemon(directory_, with_options({}));
    RawClient client(daemon.address(), timeout);
    client.send("POST /reload HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(client.receive().status, 404);
    EXPECT_EQ(daemon.ask("/status").status, 404);
    EXPECT_EQ(daemon.status().at("generation"), 1);
}

}  // namespace
}  // namespace handover::test
