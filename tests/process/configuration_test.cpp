// SPDX-License-Identifier: MIT
// The configuration file: what is in it, what is wrong with it, and what a reload makes of it.

#include "process/event_stream.h"
#include "process/process_fixture.h"

#include <unistd.h>

#include <regex>
#include <utility>

namespace handover::test {
namespace {

namespace fs = std::filesystem;

class Configuration : public ProcessTest {
  protected:
    static Finished run(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), program_under_test());
        return run_command(arguments, timeout);
    }

    void write(const std::string& text) const { install_text(text, fs::perms::owner_read, file_); }

    [[nodiscard]] Finished check(const std::string& text,
                                 std::vector<std::string> arguments = {}) const {
        write(text);
        arguments.insert(arguments.begin(), {"check", "--config", file_});
        return run(arguments);
    }

    /// These lines, each with the file in front, nothing on stdout, and exit status 78.
    void expect_faults(const Finished& finished, const std::vector<std::string>& faults) const {
        std::string lines;
        for (const auto& fault : faults) lines += "handoverd: " + file_ + ":" + fault + "\n";
        EXPECT_EQ(finished.err, lines);
        EXPECT_EQ(finished.out, "");
        EXPECT_EQ(finished.exit_status, 78);
    }
    void expect_fault(const std::string& text, const std::string& fault) const {
        expect_faults(check(text), {fault});
    }

    [[nodiscard]] DaemonOptions configured() const {
        return {.listen = {}, .options = {"--config", file_}};
    }

    const std::string file_ = directory_ / "handoverd.conf";
};

TEST_F(Configuration, that_is_good_is_valid_and_starts_nothing) {
    const auto finished = check("idle-timeout=500ms\nlisten=:80\n",
                                {"--listen", "[::]:9999", "--drain-timeout=2min"});
    EXPECT_EQ(finished.exit_status, 0) << finished.err;
    EXPECT_EQ(finished.out, "the configuration is valid\n");
    EXPECT_EQ(finished.err, "");
}

TEST_F(Configuration, every_key_takes_effect) {
    const auto root = directory_ / "www#1";
    fs::create_directory(root);
    install_text("content\n", fs::perms::owner_read, root / "page.txt");
    const auto path = directory_ / "http.sock";
    write("# a comment\nlisten=127.0.0.1:0\nlisten=unix:" + path.string() +
          "\nroot=" + root.string() + "  # not a comment before here\n" +
          "drain-timeout=300ms\nready-timeout=20s\nprobation=1s\nidle-timeout=2min\n" +
          "threads=8\nlog-level=debug\n");
    Daemon daemon(directory_, configured());
    EXPECT_EQ(daemon.ask("/page.txt").body, "content\n");
    RawClient over_unix(daemon.address(1), timeout);
    EXPECT_EQ(daemon.address(1).unix_path(), path);
    const auto response = over_unix.get("/hello");
    EXPECT_EQ(response.header("Keep-Alive"), "timeout=120");
    over_unix.send("GET /hello?sleep=60s HTTP/1.1\r\nHost: test\r\n\r\n");
    EXPECT_TRUE(daemon.wait_for_connections(1));
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.await_end(), 0);
    daemon.await_line("had not finished within the drain timeout");
    daemon.await_line(" debug: generation 1: ");
}

TEST_F(Configuration, threads_and_ready_timeout_take_effect) {
    write("listen=127.0.0.1:0\nready-timeout=300ms\nthreads=8\n");
    auto start = from_copy({"--config", file_});
    start.listen.clear();
    Daemon daemon(directory_, start);
    {
        std::vector<RawClient> streams;
        for (int i = 0; i < 2; ++i) {
            streams.emplace_back(daemon.admin(), timeout);
            ask_for_events(streams.back());
        }
        const auto third = RawClient(daemon.admin(), timeout).get("/events");
        EXPECT_EQ(third.status, 503);
        EXPECT_NE(third.body.find("there are 2 streams"), std::string::npos)
            << "which is a quarter of the threads: " << third.body;
    }
    install_text("#!/bin/sh\nexec sleep 600\n", fs::perms::owner_all, program());
    const auto told = daemon.reload();
    EXPECT_EQ(told.status, 1);
    EXPECT_NE(told.err.find(" was not ready within 300 ms"), std::string::npos) << told.err;
}

TEST_F(Configuration, log_level_warning_does_not_tell_who_serves) {
    auto start = with_options({"--log-level", "warning"});
    start.process.argv = command_line(directory_, start);
    ServerProcess process(start.process);
    const auto admin = Endpoint::parse("unix:" + (directory_ / "admin.sock").string());
    EXPECT_TRUE(eventually([&] { return !refuses(admin); }));
    EXPECT_EQ(RawClient(admin, timeout).get("/readyz").status, 200);
    ::kill(process.first_pid(), SIGTERM);
    EXPECT_EQ(await_end(process.first_pid()), 0);
    EXPECT_EQ(process.log(), "");
}

TEST_F(Configuration, of_the_command_line_wins) {
    write("listen=127.0.0.1:1\n");
    Daemon daemon(directory_, with_options({"--config", file_}));
    EXPECT_TRUE(daemon.wait_for_state("serving"));
    EXPECT_EQ(daemon.status().at("listeners").size(), 2U);
    EXPECT_NE(daemon.address().port(), 1);
}

TEST_F(Configuration, wrong_line_is_told_with_its_fault_and_what_to_write) {
    expect_fault("\ndrain-timeout=20x\n",
                 "2: drain-timeout=20x: not a time, write it as 20s or 500ms: the units are ms, s, "
                 "min and h");
    expect_fault("drain-timeout=20\n",
                 "1: drain-timeout=20: a time without a unit, write 20s or 20ms");
    expect_fault("probation=soon\n", "1: probation=soon: not a time, write it as 20s or 500ms");
    expect_fault("idle-timeout=1194h\n",
                 "1: idle-timeout=1194h: too long a time, write 1193h at most");
    expect_fault("threads=many\n",
                 "1: threads=many: not a whole number, write one from 2 to 100000");
    expect_fault("# few\nthreads=1\n",
                 "2: threads=1: out of range, write a number from 2 to 100000");
    expect_fault("log-level=loud\n",
                 "1: log-level=loud: not known, write debug or info or warning or error");
    expect_fault("no-such-key=1\n",
                 "1: no-such-key=1: there is no option of this name, see handoverd.conf(5)");
    expect_fault("drain_timeout=20s\n",
                 "1: drain_timeout=20s: there is no option of this name, write drain-timeout=");
    expect_fault(
        "threads=8\nthreads=9\n",
        "2: threads=9: it is in line 1 already and may be given once, take one of them out");
    expect_fault("threads 8\n", "1: there is no '=', write threads=8");
    expect_fault("json=true\n",
                 "1: json=true: there is no option of this name, see handoverd.conf(5)");
}

TEST_F(Configuration, wrong_address_is_told) {
    const std::string hint =
        " (write [::]:9999, 127.0.0.1:80, :9999, unix:/run/x.sock or unix:@name)";
    expect_fault("listen=[::1]:80\nlisten=[::1]:70000\n",
                 "2: listen=[::1]:70000: not an address to listen on: the port 70000 is above "
                 "65535" +
                     hint);
    const auto path = "unix:/" + std::string(107, 'x');
    expect_fault("listen=" + path + "\n",
                 "1: listen=" + path +
                     ": not an address to listen on: the path is longer than 107 "
                     "bytes" +
                     hint);
    expect_fault("listen=:80\nadmin=[::]:80\n",
                 "2: admin=[::]:80: the same address, which listen has in " + file_ +
                     ":1, take one of them out");
}

TEST_F(Configuration, wrong_root_is_told) {
    expect_fault(
        "root=/no/such/directory\n",
        "1: root=/no/such/directory: there is no such directory, make it or write another");
    expect_fault("root=" + file_ + "\n",
                 "1: root=" + file_ + ": not a directory, write the one that the file is in");
    const auto hidden = directory_ / "home";
    fs::create_directory(hidden);
    fs::permissions(hidden, fs::perms::none);  // as ProtectHome= shows it
    expect_fault("root=" + (hidden / "www").string() + "\n",
                 "1: root=" + (hidden / "www").string() +
                     ": the sandbox of the service hides what is below " + hidden.string() +
                     " (InaccessiblePaths=), put it below /srv or /var");
}

TEST_F(Configuration, all_that_is_wrong_is_told) {
    expect_faults(check("threads=many\n\nlisten=:80\nadmin=:80\nanchor\nprobation=5\n"),
                  {"1: threads=many: not a whole number, write one from 2 to 100000",
                   "4: admin=:80: the same address, which listen has in " + file_ +
                       ":3, take one of them out",
                   "5: there is no '=', write anchor=...",
                   "6: probation=5: a time without a unit, write 5s or 5ms"});
}

TEST_F(Configuration, file_that_cannot_be_one_is_told) {
    const auto refusal_of = [](const std::string& path) {
        auto finished = run({"check", "--config", path});
        EXPECT_EQ(finished.exit_status, 78);
        EXPECT_EQ(run({"--config", path}).err, finished.err) << "serve says the same";
        return std::move(finished.err);
    };
    EXPECT_EQ(refusal_of(file_),
              "handoverd: " + file_ + ": cannot be read: No such file or directory\n");
    EXPECT_EQ(refusal_of(directory_.path()), "handoverd: " + directory_.path().string() +
                                                 ": is a directory, name the file in it\n");
    write(std::string("\x7f\x45LF\2\1\1\0\0\n\0", 11));
    EXPECT_EQ(refusal_of(file_),
              "handoverd: " + file_ +
                  ":1: not a text: byte 1 of the line is 0x7f, write text in UTF-8\n");
}

TEST_F(Configuration, file_that_may_not_be_read_is_told) {
    write("threads=8\n");
    const auto start = from_copy_as(nobody, {"check", "--config", file_});
    fs::permissions(file_, fs::perms::none);
    const auto told = run_to_end(directory_, start);
    EXPECT_EQ(told.err, "handoverd: " + file_ + ": cannot be read: Permission denied\n");
    EXPECT_EQ(told.status, 78);
}

TEST_F(Configuration, is_printed_as_a_file_that_says_where_each_line_is_from) {
    const auto printed = check("\nthreads=8\nlisten=[::]:80\nlisten=unix:/run/a#b\nprobation=1h\n",
                               {"--print", "--idle-timeout", "2min", "--admin", ":81"});
    EXPECT_EQ(printed.exit_status, 0) << printed.err;
    const auto says = [&](const std::string& line, const std::string& from) {
        const auto at = printed.out.find("\n" + line + " ");
        if (at == std::string::npos) return false;
        const auto end = printed.out.find('\n', at + 1);
        return printed.out.substr(0, end).ends_with("  # " + from);
    };
    EXPECT_TRUE(printed.out.starts_with("listen=[::]:80 ")) << printed.out;
    EXPECT_TRUE(says("listen=unix:/run/a#b", file_ + ":4")) << printed.out;
    EXPECT_TRUE(says("threads=8", file_ + ":2")) << printed.out;
    EXPECT_TRUE(says("probation=1h", file_ + ":5")) << printed.out;
    EXPECT_TRUE(says("idle-timeout=2min", "command line")) << printed.out;
    EXPECT_TRUE(says("drain-timeout=20s", "default")) << printed.out;
    EXPECT_TRUE(says("anchor=false", "default")) << printed.out;
    EXPECT_TRUE(says("#root=", "not set")) << printed.out;
    const auto again = check(printed.out, {"--print"});
    const auto without_comments = [](const std::string& text) {
        return std::regex_replace(text, std::regex(" *# .*"), "");
    };
    EXPECT_EQ(without_comments(again.out), without_comments(printed.out)) << again.err;
}

// ---- a reload reads it anew

class ReloadedConfiguration : public Configuration {
  protected:
    ReloadedConfiguration() { write("listen=127.0.0.1:0\n"); }
};

TEST_F(ReloadedConfiguration, that_is_broken_fails_with_its_faults_before_anything_starts) {
    Daemon daemon(directory_, configured());
    Load load(daemon.address(), {"--connections", "4", "--rate", "200"});
    const auto added = directory_ / "added";
    write("listen=" + daemon.address().to_string() + "\nlisten=unix:" + added.string() +
          "\ndrain-timeout=20x\nthreads=1\n");
    const auto told = daemon.reload();
    EXPECT_EQ(told.status, 1);
    EXPECT_NE(told.err.find(" refused to start: " + file_ +
                            ":3: drain-timeout=20x: not a time, write it as 20s or 500ms: the "
                            "units are ms, s, min and h; " +
                            file_ +
                            ":4: threads=1: out of range, write a number from 2 to "
                            "100000; generation 1 serves on"),
              std::string::npos)
        << told.err;
    EXPECT_FALSE(fs::exists(added)) << "something was bound";
    EXPECT_EQ(daemon.ask().pid, daemon.pid());
    load.await_answers(10);
    expect_nothing_lost(load);
    EXPECT_EQ(daemon.status().at("last_handover"), told.err.substr(0, told.err.size() - 1));

    write("listen=" + daemon.address().to_string() + "\ndrain-timeout=20s\n");
    EXPECT_EQ(daemon.reload().status, 0) << "the next good one works";
}

TEST_F(ReloadedConfiguration, is_judged_by_the_program_that_is_to_read_it) {
    // An older one that is asked to reload must not refuse what only the next one knows.
    Daemon daemon(directory_, configured());
    write("listen=" + daemon.address().to_string() +
          "\nknown-to-the-next-release=1\nadmin=" + daemon.admin().to_string() + "\n");
    const auto asked = run({"reload", "--config", file_});
    EXPECT_EQ(asked.exit_status, 1);
    EXPECT_NE(asked.err.find("refused to start: " + file_ + ":2: known-to-the-next-release=1"),
              std::string::npos)
        << asked.err;
    const auto status = run({"status", "--config", file_});
    EXPECT_EQ(status.exit_status, 0) << status.err;
}

TEST_F(ReloadedConfiguration, without_an_admin_listener_that_can_be_told_is_refused_by_who_asks) {
    expect_faults((write("threads=many\nadmin=nowhere\n"), run({"reload", "--config", file_})),
                  {"2: admin=nowhere: not an address to listen on: there is no ':port' (write "
                   "[::]:9999, 127.0.0.1:80, :9999, unix:/run/x.sock or unix:@name)"});
}

TEST_F(ReloadedConfiguration, is_nothing_to_the_anchor_that_stays) {
    auto start = configured();
    start.options.emplace_back("--anchor");
    Daemon daemon(directory_, start);
    const auto anchor = daemon.pid();
    write("listen=" + daemon.address().to_string() + "\n");
    EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_NE(daemon.pid(), anchor);
    write("nonsense\n");
    daemon.signal(SIGTERM);
    EXPECT_EQ(await_end(anchor), 0);
}

}  // namespace
}  // namespace handover::test
