// SPDX-License-Identifier: MIT
//
// idle_client: connections that stand idle, as a program. Prints "ready" when all of them do, then
// takes commands from standard input, a line each:
//   ask    one request on each connection that is open; prints one line of JSON (load_report.h)
//   count  prints {"open":N}
//   stop   ends, as the end of the input does
// Exit status 0 whenever it could open all of its connections: what the counts mean is for the
// test to judge.

#include "support/client_program.h"
#include "support/idle_client.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <poll.h>
#include <unistd.h>

#include <array>
#include <iostream>
#include <sstream>
#include <stdexcept>

namespace {

using handover::test::CommandReader;
using handover::test::IdleClient;
using handover::test::IdleOptions;
using handover::test::LoadReport;

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
    IdleClient client(options);
    open_all(client, options.connections);
    std::cout << "ready" << std::endl;
    CommandReader commands;
    while (true) {
        std::array<pollfd, 2> events{{{STDIN_FILENO, POLLIN, 0}, {client.fd(), POLLIN, 0}}};
        ::poll(events.data(), events.size(), -1);
        // A connection that the server closes is closed here too, and counted in the next report.
        if (events[1].revents != 0) (void)client.count();
        if (events[0].revents == 0) continue;
        if (!commands.read([&](const std::string& command) { return obey(client, command); }))
            return;
    }
}

}  // namespace

// What throws before run_client() is want of memory, and ends the program as it should.
// NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
    IdleOptions options;
    CLI::App app("Opens connections, lets them stand idle, and counts what becomes of them.");
    handover::test::add_client_options(app, options);
    app.add_option("--first-request", options.first_request,
                   "send one on each connection before it stands idle")
        ->capture_default_str();
    return handover::test::run_client("idle_client", app, argc, argv, [&] { run(options); });
}
