// SPDX-License-Identifier: MIT
//
// load_client: the counting client as a program. Prints "ready" when its first request has been
// answered, "all sent" when the last of --requests is on its way, and one line of JSON
// (load_report.h) at the end. Exit status 0 whenever it could run:
// what the counts mean is for the test to judge.

#include "support/load_client.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <exception>
#include <iostream>

namespace {

using handover::UniqueFd;
using handover::test::LoadClient;
using handover::test::LoadOptions;

/// Lines on standard input: "await N" prints "awaited N" after N more answers, "count" prints the
/// counts so far as a line of JSON; the end stops.
class Control {
  public:
    explicit Control(LoadClient& client) : client_(client) {}

    bool read_commands() {
        std::array<char, 256> buffer{};
        const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
        if (count <= 0) {
            client_.stop();
            return false;
        }
        text_.append(buffer.data(), static_cast<std::size_t>(count));
        for (std::size_t end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
            obey(text_.substr(0, end));
            text_.erase(0, end + 1);
        }
        return true;
    }

    void answered() {
        if (!ready_) std::cout << "ready" << std::endl;
        ready_ = true;
        if (left_ > 0 && --left_ == 0) std::cout << "awaited " << awaited_ << std::endl;
    }

  private:
    void obey(const std::string& command) {
        if (command.rfind("await ", 0) == 0)
            left_ = awaited_ = std::stoll(command.substr(6));
        else if (command == "count")
            std::cout << nlohmann::json(client_.counts()).dump() << std::endl;
    }

    LoadClient& client_;
    std::string text_;
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

void raise_descriptor_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

void run(const LoadOptions& options, bool control_by_stdin) {
    raise_descriptor_limit();
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

int run_program(int argc, char** argv) {
    CLI::App app("Sends HTTP requests, retries none, and counts what became of each.");
    std::string target;
    LoadOptions options;
    std::int64_t duration_ms = options.duration.count();
    std::int64_t timeout_ms = options.timeout.count();
    std::int64_t drain_ms = options.drain.count();
    std::size_t body_size = 0;
    bool control = false;
    app.add_option("target", target, "127.0.0.1:80, [::1]:80, unix:/path or unix:@name")
        ->required();
    app.add_option("--method", options.request.method)->capture_default_str();
    app.add_option("--path", options.request.path)->capture_default_str();
    app.add_option("--body", options.request.body);
    app.add_option("--body-size", body_size, "send a body of that many bytes");
    app.add_option("--connections", options.connections, "at most so many at a time")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    app.add_flag("--keep-alive", options.keep_alive, "otherwise a connection per request");
    app.add_option("--rate", options.rate, "requests per second; 0: as fast as answers come")
        ->check(CLI::NonNegativeNumber);
    app.add_option("--requests", options.max_requests, "stop after so many");
    app.add_option("--duration-ms", duration_ms)->capture_default_str();
    app.add_option("--timeout-ms", timeout_ms, "of one request")->capture_default_str();
    app.add_option("--drain-ms", drain_ms, "wait so long for the last answers")
        ->capture_default_str();
    app.add_flag("--control", control, "take commands from standard input; its end stops");
    CLI11_PARSE(app, argc, argv);
    options.target = handover::Endpoint::parse(target);
    options.duration = std::chrono::milliseconds(duration_ms);
    options.timeout = std::chrono::milliseconds(timeout_ms);
    options.drain = std::chrono::milliseconds(drain_ms);
    if (body_size > 0) options.request.body.assign(body_size, 'x');
    run(options, control);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run_program(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "load_client: " << error.what() << '\n';
        return 1;
    }
}
