// SPDX-License-Identifier: MIT
#include "support/counting_client.h"

#include <nlohmann/json.hpp>

#include <csignal>
#include <stdexcept>
#include <utility>

namespace handover::test {
namespace {

// A machine that is busy, a program slowed down by a sanitizer, a request that sleeps.
constexpr auto answers_within = std::chrono::seconds(60);
constexpr auto end_within = std::chrono::minutes(2);

/// The line of JSON that answers a command; null if none comes in time.
nlohmann::json told(ChildProcess& client, const std::string& command,
                    std::chrono::milliseconds within) {
    client.write(command + "\n");
    const auto line = client.wait_for_line("{", within);
    return line ? nlohmann::json::parse(*line) : nlohmann::json();
}

}  // namespace

// ---- load_client

std::vector<std::string> Load::command(const std::string& target,
                                       const std::vector<std::string>& options) {
    std::vector<std::string> argv{LOAD_CLIENT_PROGRAM, target, "--control"};
    argv.insert(argv.end(), options.begin(), options.end());
    return argv;
}

Load::Load(const Endpoint& target, const std::vector<std::string>& options)
    : Load(ChildProcess(command(target.to_string(), options)), "load_client") {
    if (!client_.wait_for_line("ready", answers_within)) fail("no answer");
}

Load::Load(ChildProcess client, std::string name)
    : name_(std::move(name)), client_(std::move(client)) {}

void Load::fail(const std::string& what) const {
    throw std::runtime_error(name_ + ": " + what + "\n" + client_.out() + client_.err());
}

void Load::await_answers(int count) {
    client_.write("await " + std::to_string(count) + "\n");
    if (!client_.wait_for_line("awaited " + std::to_string(count), answers_within))
        fail("fewer than " + std::to_string(count) + " answers in a minute");
}

void Load::await_all_sent() {
    if (!client_.wait_for_line("all sent", answers_within)) fail("could not send all requests");
}

LoadReport Load::count() {
    const auto counts = told(client_, "count", answers_within);
    if (counts.is_null()) fail("no answer to count");
    return counts.get<LoadReport>();
}

LoadReport Load::stop() {
    client_.signal(SIGTERM);
    return finish();
}

LoadReport Load::finish() {
    const auto finished = client_.wait(end_within);
    if (!finished || !finished->ok()) fail("the client did not come to its end");
    // The last line; counts may have been printed before it.
    const auto end = finished->out.find_last_not_of('\n');
    const auto begin = finished->out.rfind('\n', end) + 1;  // npos + 1 is 0
    if (end == std::string::npos || finished->out[begin] != '{') fail("no report");
    return nlohmann::json::parse(finished->out.substr(begin)).get<LoadReport>();
}

// ---- idle_client

std::vector<std::string> IdleConnections::command(const std::string& target,
                                                  std::size_t connections,
                                                  const std::vector<std::string>& options) {
    std::vector<std::string> argv{IDLE_CLIENT_PROGRAM, target, "--connections",
                                  std::to_string(connections)};
    argv.insert(argv.end(), options.begin(), options.end());
    return argv;
}

IdleConnections::IdleConnections(const Endpoint& target, std::size_t connections,
                                 const std::vector<std::string>& options)
    : IdleConnections(ChildProcess(command(target.to_string(), connections, options)),
                      "idle_client") {}

IdleConnections::IdleConnections(ChildProcess client, std::string name)
    : name_(std::move(name)), client_(std::move(client)) {
    if (!client_.wait_for_line("ready", end_within)) fail("not all connections stand idle");
}

void IdleConnections::fail(const std::string& what) const {
    throw std::runtime_error(name_ + ": " + what + "\n" + client_.out() + client_.err());
}

nlohmann::json IdleConnections::answer_to(const std::string& command) {
    auto answer = told(client_, command, end_within);
    if (answer.is_null()) fail("no answer to " + command);
    return answer;
}

LoadReport IdleConnections::ask() {
    return answer_to("ask").get<LoadReport>();
}

int IdleConnections::count() {
    return answer_to("count").at("open");
}

void IdleConnections::stop() {
    client_.write("stop\n");
    const auto finished = client_.wait(end_within);
    if (!finished || !finished->ok()) fail("the client did not come to its end");
}

}  // namespace handover::test
