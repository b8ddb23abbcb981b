// SPDX-License-Identifier: MIT
//
// idle_client: connections that stand idle, as a program. Prints "ready" when all of them do, then
// takes commands from standard input, a line each:
//   ask    one request on each connection that is open; prints one line of JSON (load_report.h)
//   count  prints {"open":N}
//   stop   ends, as the end of the input does
// Exit status 0 whenever it could open all of its connections: what the counts mean is for the
// test to judge.

#include "support/idle_client.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <exception>
#include <iostream>
#include <sstream>
#include <stdexcept>

namespace {

using handover::test::IdleClient;
using handover::test::IdleOptions;
using handover::test::LoadReport;

void raise_descriptor_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

void open_all(IdleClient& client, std::size_t connections) {
    const LoadReport report = client.open();
    if (client.count() == connections && report.failed() == 0) return;
    std::ostringstream text;
    text << "not all of " << connections << " connections stand idle: " << report;
    throw std::runtime_error(text.str());
}

/// False: the client shall end.
bool obey(IdleClient& client, const std::string& command) {
    if (command == "stop") return false;
    if (command == "ask")
        std::cout << nlohmann::json(client.ask()).dump() << std::endl;
    else if (command == "count")
        std::cout << nlohmann::json{{"open", client.count()}}.dump() << std::endl;
    else
        throw std::runtime_error("unknown command: " + command);
    return true;
}

void run(const IdleOptions& options) {
    raise_descriptor_limit();
    IdleClient client(options);
    open_all(client, options.connections);
    std::cout << "ready" << std::endl;
    std::string text;
    while (true) {
        std::array<pollfd, 2> events{{{STDIN_FILENO, POLLIN, 0}, {client.fd(), POLLIN, 0}}};
        ::poll(events.data(), events.size(), -1);
        // A connection that the server closes is closed here too, and counted in the next report.
        if (events[1].revents != 0) (void)client.count();
        if (events[0].revents == 0) continue;
        std::array<char, 256> buffer{};
        const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
        if (count <= 0) return;
        text.append(buffer.data(), static_cast<std::size_t>(count));
        for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
            if (!obey(client, text.substr(0, end))) return;
            text.erase(0, end + 1);
        }
    }
}

int run_program(int argc, char** argv) {
    CLI::App app("Opens connections, lets them stand idle, and counts what becomes of them.");
    std::string target;
    IdleOptions options;
    std::int64_t timeout_ms = options.timeout.count();
    app.add_option("target", target, "127.0.0.1:80, [::1]:80, unix:/path or unix:@name")
        ->required();
    app.add_option("--connections", options.connections)
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    app.add_option("--first-request", options.first_request,
                   "send one on each connection before it stands idle")
        ->capture_default_str();
    app.add_option("--method", options.request.method)->capture_default_str();
    app.add_option("--path", options.request.path)->capture_default_str();
    app.add_option("--body", options.request.body);
    app.add_option("--timeout-ms", timeout_ms, "of one request")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    options.target = handover::Endpoint::parse(target);
    options.timeout = std::chrono::milliseconds(timeout_ms);
    run(options);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run_program(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "idle_client: " << error.what() << '\n';
        return 1;
    }
}
