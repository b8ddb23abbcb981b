// SPDX-License-Identifier: MIT
// The access log: each request has exactly one line, wherever it goes and whatever happens.

#include "process/process_fixture.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

namespace handover::test {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

class AccessLog : public ProcessTest {
  protected:
    [[nodiscard]] DaemonOptions to_file(const std::string& format = "combined") const {
        return with_options({"--access-log", format, "--access-log-file", file()});
    }
    [[nodiscard]] fs::path file() const { return directory_ / "access.log"; }

    static Lines lines_of(const fs::path& path) {
        std::ifstream in(path);
        Lines lines;
        for (std::string line; std::getline(in, line);) lines.push_back(line);
        return lines;
    }
    /// A line is written when the client has its answer already.
    static Lines await_lines(const fs::path& path, std::size_t count) {
        EXPECT_TRUE(eventually([&] { return lines_of(path).size() >= count; }));
        return lines_of(path);
    }

    /// One request whose path and agent have these bytes in them; refused or not.
    static void send_hostile_request(const Daemon& daemon, const std::string& bytes) {
        RawClient client(daemon.address(), timeout);
        client.send("GET /" + bytes + " HTTP/1.1\r\nHost: a\r\nUser-Agent: " + bytes + "\r\n\r\n");
        (void)client.receive();
    }
};

TEST_F(AccessLog, in_the_combined_format_has_a_line_for_each_request) {
    Daemon daemon(directory_, to_file());
    RawClient client(daemon.address(), timeout);
    client.send("GET /hello?q HTTP/1.1\r\nHost: a\r\nReferer: r\r\nUser-Agent: u\r\n\r\n");
    const auto answer = client.receive();
    (void)client.get("/nowhere");
    client.send("bad\r\n\r\n");
    EXPECT_EQ(client.receive().status, 400);
    const auto lines = await_lines(file(), 3);
    ASSERT_EQ(lines.size(), 3U);
    const std::string begin =
        R"(127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] )";
    EXPECT_TRUE(
        std::regex_match(lines[0], std::regex(begin + R"("GET /hello\?q HTTP/1\.1" 200 )" +
                                              std::to_string(answer.body.size()) + R"( "r" "u")")))
        << lines[0];
    EXPECT_TRUE(std::regex_match(
        lines[1], std::regex(begin + R"("GET /nowhere HTTP/1\.1" 404 (-|\d+) "-" "-")")))
        << lines[1];
    EXPECT_TRUE(std::regex_match(lines[2], std::regex(begin + R"("bad" 400 - "-" "-")")))
        << lines[2];
}

TEST_F(AccessLog, as_JSON_tells_which_generation_answered) {
    Daemon daemon(directory_, to_file("json"));
    (void)daemon.ask();
    EXPECT_EQ(daemon.reload().status, 0);
    (void)daemon.ask("/hello?a=b");
    const auto lines = await_lines(file(), 2);
    ASSERT_EQ(lines.size(), 2U);
    for (const std::size_t i : {0U, 1U}) {
        const auto object = nlohmann::json::parse(lines[i]);
        EXPECT_EQ(object.at("generation"), i + 1);
        EXPECT_EQ(object.at("status"), 200);
        EXPECT_EQ(object.at("remote"), "127.0.0.1");
    }
    EXPECT_EQ(nlohmann::json::parse(lines[1]).at("target"), "/hello?a=b");
}

TEST_F(AccessLog, goes_to_the_log_without_a_file) {
    Daemon daemon(directory_, with_options({"--access-log", "combined"}));
    (void)daemon.ask();
    const auto line = daemon.await_line("GET /hello");
    EXPECT_TRUE(line.starts_with("127.0.0.1 - - [")) << line;
    EXPECT_EQ(daemon.status().at("ready"), true);
    EXPECT_EQ(daemon.log().find("/status"), std::string::npos) << "that is no client's request";
}

TEST_F(AccessLog, is_off_unless_it_is_wanted) {
    Daemon daemon(directory_, with_options({}));
    (void)daemon.ask();
    EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_EQ(daemon.log().find("GET"), std::string::npos);
    auto off = with_options({"--access-log", "off", "--access-log-file", file()});
    off.admin = "unix:" + (directory_ / "other.sock").string();
    Daemon other(directory_, off);
    (void)other.ask();
    EXPECT_FALSE(fs::exists(file()));
}

TEST_F(AccessLog, is_combined_if_only_the_file_is_said) {
    Daemon daemon(directory_, with_options({"--access-log-file", file()}));
    (void)daemon.ask();
    EXPECT_TRUE(await_lines(file(), 1).at(0).ends_with(R"("-" "-")"));
}

TEST_F(AccessLog, has_a_line_for_each_request_while_it_is_rotated_under_load) {
    Daemon daemon(directory_, to_file());
    std::vector<Load> clients;
    for (const std::vector<std::string>& options :
         {std::vector<std::string>{"--rate", "300"},
          {"--rate", "300", "--keep-alive", "--connections", "8"}})
        clients.emplace_back(daemon.address(), options);
    std::vector<fs::path> files{file()};
    for (int i = 1; i <= 3; ++i) {
        for (auto& client : clients) client.await_answers(30);
        files.push_back(file().string() + "." + std::to_string(i));
        fs::rename(file(), files.back());
        EXPECT_EQ(daemon.reload().status, 0);
        EXPECT_TRUE(fs::exists(file())) << "the new generation has not opened it by its name";
        for (auto& client : clients) client.await_answers(30);
    }
    std::size_t requests = 0;
    for (auto& client : clients)
        requests += static_cast<std::size_t>(expect_nothing_lost(client).answered());
    const auto all_lines = [&] {
        std::size_t count = 0;
        for (const auto& path : files) count += lines_of(path).size();
        return count;
    };
    EXPECT_TRUE(eventually([&] { return all_lines() >= requests; })) << all_lines();
    EXPECT_EQ(all_lines(), requests);
    const std::regex line(R"(127\.0\.0\.1 - - \[[^\]]+\] "[^"]+ HTTP/1\.1" 200 \d+ "-" "[^"]*")");
    for (const auto& path : files)
        for (const auto& text : lines_of(path)) EXPECT_TRUE(std::regex_match(text, line)) << text;
    for (const auto& path : files) EXPECT_FALSE(lines_of(path).empty()) << path;
}

TEST_F(AccessLog, that_cannot_be_written_disturbs_nobody_and_is_told_once) {
    Daemon daemon(directory_, to_file());
    const rlimit limit{1000, RLIM_INFINITY};
    ASSERT_EQ(::prlimit(daemon.pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
    RawClient client(daemon.address(), timeout);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(client.get("/hello").status, 200);
    const auto line = daemon.await_line("cannot be written: ");
    EXPECT_NE(line.find("requests are answered all the same"), std::string::npos) << line;
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.await_end(), 0);
    const auto& log = daemon.log();
    const auto first = log.find("cannot be written");
    EXPECT_EQ(log.find("cannot be written", first + 1), std::string::npos) << log;

    std::smatch lost;
    ASSERT_TRUE(
        std::regex_search(log, lost, std::regex(R"((\d+) lines of the access log \S+ went)")))
        << log;
    const auto written = lines_of(file());
    // The last one may be there in part: there was no room for all of it.
    EXPECT_GE(written.size() + std::stoul(lost[1]), 50U);
    EXPECT_LE(written.size() + std::stoul(lost[1]), 51U);
}

TEST_F(AccessLog, that_cannot_be_opened_fails_the_start_or_the_reload_and_says_why) {
    const auto missing = directory_ / "missing" / "access.log";
    const auto told = run_to_end(directory_, with_options({"--access-log-file", missing}));
    EXPECT_EQ(told.status, 71);
    EXPECT_NE(told.err.find("cannot open the access log " + missing.string()), std::string::npos)
        << told.err;

    Daemon daemon(directory_, to_file());
    fs::remove(file());
    fs::create_directory(file());
    const auto reload = daemon.reload();
    EXPECT_EQ(reload.status, 1);
    EXPECT_NE(reload.err.find("cannot open the access log"), std::string::npos) << reload.err;
    EXPECT_NE(reload.err.find("generation 1 serves on"), std::string::npos) << reload.err;
}

TEST_F(AccessLog, never_waits_for_a_fifo) {
    ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
    const auto told = run_to_end(directory_, to_file());
    EXPECT_EQ(told.status, 71) << "nobody reads it";
    const UniqueFd reader(::open(file().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    Daemon daemon(directory_, to_file());
    RawClient client(daemon.address(), timeout);
    for (int i = 0; i < 2000; ++i) EXPECT_EQ(client.get("/hello").status, 200);
    daemon.await_line("cannot be written: Resource temporarily unavailable");
}

TEST_F(AccessLog, is_lines_of_plain_text_whatever_clients_send) {
    for (const std::string format : {"combined", "json"}) {
        fs::remove(file());
        Daemon daemon(directory_, to_file(format));
        const std::vector<std::string> bytes{"\x1b[2J",      "\"\\",  "\xff\xfe",          "\x7f",
                                             "\xe2\x80\xae", "a\x01", std::string("\0", 1)};
        for (const auto& some : bytes) send_hostile_request(daemon, some);
        const auto lines = await_lines(file(), bytes.size());
        EXPECT_EQ(lines.size(), bytes.size());
        for (const auto& line : lines) {
            EXPECT_TRUE(std::all_of(line.begin(), line.end(), [](char c) {
                return c >= 0x20 && c < 0x7f;
            })) << line;
            EXPECT_EQ(nlohmann::json::accept(line), format == "json") << line;
        }
    }
}

}  // namespace
}  // namespace handover::test
