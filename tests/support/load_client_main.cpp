// SPDX-License-Identifier: MIT
//
// load_client: the counting client as a program. Prints "ready" when its first request has been
// answered, "all sent" when the last of --requests is on its way, and one line of JSON
// (load_report.h) at the end. Exit status 0 whenever it could run:
// what the counts mean is for the test to judge.

#include "support/client_program.h"
#include "support/load_client.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <iostream>

namespace {

using handover::UniqueFd;
using handover::test::CommandReader;
using handover::test::LoadClient;
using handover::test::LoadOptions;

/// Commands: "await N" prints "awaited N" after N more answers, "count" prints the counts so far as
/// a line of JSON.
class Control {
  public:
    explicit Control(LoadClient& client) : client_(client) {}

    /// False: their end has come, and the client stops.
    bool read_commands() {
        if (commands_.read([this](const std::string& command) { return obey(command); }))
            return true;
        client_.stop();
        return false;
    }

    void answered() {
        if (!ready_) std::cout << "ready" << std::endl;
        ready_ = true;
        if (left_ > 0 && --left_ == 0) std::cout << "awaited " << awaited_ << std::endl;
    }

  private:
    bool obey(const std::string& command) {
        if (command.rfind("await ", 0) == 0)
            left_ = awaited_ = std::stoll(command.substr(6));
        else if (command == "count")
            std::cout << nlohmann::json(client_.counts()).dump() << std::endl;
        return true;
    }

    LoadClient& client_;
    CommandReader commands_;
    bool ready_ = false;
    long long awaited_ = 0;
    long long left_ = 0;
};

UniqueFd stop_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    return UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

void run(const LoadOptions& options, bool control_by_stdin) {
    LoadClient client(options);
    Control control(client);
    const UniqueFd signals = stop_signals();
    client.watch(signals.get(), [&] {
        client.stop();
        return false;
    });
    if (control_by_stdin) client.watch(STDIN_FILENO, [&] { return control.read_commands(); });
    client.on_answer([&] { control.answered(); });
    client.on_all_sent([] { std::cout << "all sent" << std::endl; });
    client.run();
    std::cout << nlohmann::json(client.report()).dump() << std::endl;
}

void add_options(CLI::App& app, LoadOptions& options, bool& control) {
    using handover::test::add_milliseconds;
    app.add_option_function<std::size_t>(
        "--body-size", [&options](std::size_t size) { options.request.body.assign(size, 'x'); },
        "send a body of that many bytes");
    app.add_flag("--keep-alive", options.keep_alive, "otherwise a connection per request");
    app.add_option("--rate", options.rate, "requests per second; 0: as fast as answers come")
        ->check(CLI::NonNegativeNumber);
    app.add_option("--requests", options.max_requests, "stop after so many");
    add_milliseconds(app, "--duration-ms", options.duration, "stop after so long");
    add_milliseconds(app, "--drain-ms", options.drain, "wait so long for the last answers");
    app.add_flag("--control", control, "take commands from standard input; its end stops");
}

}  // namespace

// What throws before run_client() is want of memory, and ends the program as it should.
// NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
    LoadOptions options;
    bool control = false;
    CLI::App app("Sends HTTP requests, retries none, and counts what became of each.");
    handover::test::add_client_options(app, options);
    add_options(app, options, control);
    return handover::test::run_client("load_client", app, argc, argv,
                                      [&] { run(options, control); });
}
