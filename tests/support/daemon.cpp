// SPDX-License-Identifier: MIT
#include "support/daemon.h"

#include <gtest/gtest.h>

#include <sys/socket.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <stdexcept>

namespace handover::test {
namespace {

namespace fs = std::filesystem;

std::string admin_of(const TemporaryDirectory& directory, const DaemonOptions& start) {
    return start.admin.empty() ? "unix:" + (directory / "admin.sock").string() : start.admin;
}

ProcessOptions start_of(const TemporaryDirectory& directory, const DaemonOptions& start) {
    ProcessOptions result = start.process;
    result.argv = command_line(directory, start);
    return result;
}

}  // namespace

std::vector<std::string> command_line(const TemporaryDirectory& directory,
                                      const DaemonOptions& start) {
    std::vector<std::string> argv{start.program, "--admin", admin_of(directory, start),
                                  "--probation", start.probation};
    for (const auto& listen : start.listen) argv.insert(argv.end(), {"--listen", listen});
    argv.insert(argv.end(), start.options.begin(), start.options.end());
    return argv;
}

CommandResult run_to_end(const TemporaryDirectory& directory, const DaemonOptions& start) {
    ServerProcess process(start_of(directory, start));
    const int status = await_end(process.first_pid());
    return {status, "", process.log()};
}

// ---- the daemon

Daemon::Daemon(const TemporaryDirectory& directory, const DaemonOptions& start)
    : ServerProcess(start_of(directory, start)), admin_(admin_of(directory, start)) {
    sentence_ = await_line(") serves");
    pid_ = pid_in(sentence_);
    constexpr std::string_view noun = "generation ";
    generation_ = std::stoull(sentence_.substr(sentence_.find(noun) + noun.size()));
}

pid_t Daemon::await_generation(std::uint64_t number) {
    // The predecessor says so once it has stopped accepting; the successor may be heard earlier.
    (void)await_line(") took over from " + std::to_string(number - 1) + " ");
    return await_orphan(number);
}

pid_t Daemon::await_orphan(std::uint64_t number) {
    pid_ = pid_in(await_line("generation " + std::to_string(number) + " (pid "));
    sentence_ = await_line(std::to_string(pid_) + ") serves");
    generation_ = number;
    return pid_;
}

std::string Daemon::await_rollback(std::size_t after) {
    auto line = await_line("rolled back: ", after);
    constexpr std::string_view noun = "; generation ";
    generation_ = std::stoull(line.substr(line.find(noun) + noun.size()));
    pid_ = pid_in(await_line("generation " + std::to_string(generation_) + " (pid "));
    return line;
}

Endpoint Daemon::address(std::size_t index) const {
    return endpoint_in(sentence_, "http", index);
}

Endpoint Daemon::admin() const {
    return Endpoint::parse(admin_);
}

void Daemon::signal(int number) const {
    ::kill(pid_, number);  // not reaped by anybody but us, so it is nobody else
}

std::vector<std::string> Daemon::command(const std::string& name) const {
    return {handoverd_program(), name, "--admin", admin_};
}

ChildProcess Daemon::start_reload(const std::vector<std::string>& options) const {
    auto arguments = command("reload");
    arguments.insert(arguments.end(), options.begin(), options.end());
    return ChildProcess(arguments);
}

CommandResult Daemon::reload(const std::vector<std::string>& options) {
    auto arguments = command("reload");
    arguments.insert(arguments.end(), options.begin(), options.end());
    const auto done = run_command(arguments, timeout * 2);
    if (done.ok()) await_generation(generation_ + 1);
    return {done.exit_status, done.out, done.err};
}

nlohmann::json Daemon::status() const {
    return nlohmann::json::parse(RawClient(admin(), timeout).get("/status").body);
}

bool Daemon::wait_for_state(const std::string& state) const {
    return eventually([&] { return status().at("state") == state; });
}

bool Daemon::wait_for_connections(std::size_t count) const {
    RawClient asking(admin(), timeout);
    return eventually([&] {
        const auto now = nlohmann::json::parse(asking.get("/status").body);
        return now.at("connections") == count + 1;
    });
}

Answer Daemon::ask(std::string_view path) const {
    return answer_in(RawClient(address(), timeout).get(path));
}

// ---- requests

Answer answer_in(const RawResponse& response) {
    return {response.status, std::stoull(response.header("Handover-Generation").value_or("0")),
            static_cast<pid_t>(std::stol(response.header("Handover-Pid").value_or("-1"))),
            response.body};
}

RawClient start_slow_request(const Daemon& daemon, const std::string& sleep) {
    RawClient client(daemon.address(), timeout);
    client.send("GET /hello?sleep=" + sleep + " HTTP/1.1\r\nHost: test\r\n\r\n");
    // A connection that is only open may still have its request unread: whoever cuts it resets it.
    RawClient asking(daemon.admin(), timeout);
    EXPECT_TRUE(eventually([&] {
        return asking.get("/metrics").body.find("{state=\"active\"} 1\n") != std::string::npos;
    }));
    return client;
}

bool refuses(const Endpoint& endpoint) {
    const UniqueFd fd(::socket(endpoint.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    return ::connect(fd.get(), endpoint.address(), endpoint.address_length()) != 0 &&
           (errno == ECONNREFUSED || errno == ENOENT);
}

// ---- load

LoadReport expect_nothing_lost(Load& load) {
    auto report = load.stop();
    EXPECT_GT(report.answered(), 0);
    EXPECT_EQ(report.failed(), 0) << report;
    EXPECT_EQ(report.closed_while_idle, 0) << report;
    EXPECT_LE(report.reconnects, report.announced_closes) << report;
    return report;
}

// ---- binaries

void install(const fs::path& program, const fs::path& path) {
    const auto fresh = path.string() + ".new";
    fs::copy_file(program, fresh, fs::copy_options::overwrite_existing);
    fs::rename(fresh, path);
}

void install_text(const std::string& text, fs::perms mode, const fs::path& path) {
    const auto fresh = path.string() + ".new";
    std::ofstream(fresh) << text;
    fs::permissions(fresh, mode);
    fs::rename(fresh, path);
}

}  // namespace handover::test
