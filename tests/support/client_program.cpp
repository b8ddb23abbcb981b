// SPDX-License-Identifier: MIT
#include "support/client_program.h"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <exception>
#include <iostream>

namespace handover::test {
namespace {

void raise_descriptor_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

bool CommandReader::read(const Obey& obey) {
    std::array<char, 256> buffer{};
    const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count <= 0) return false;
    text_.append(buffer.data(), static_cast<std::size_t>(count));
    for (auto end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
        const std::string command = text_.substr(0, end);
        text_.erase(0, end + 1);
        if (!obey(command)) return false;
    }
    return true;
}

void add_milliseconds(CLI::App& app, const std::string& name, std::chrono::milliseconds& value,
                      const std::string& description) {
    app.add_option_function<std::int64_t>(
           name, [&value](std::int64_t count) { value = std::chrono::milliseconds(count); },
           description)
        ->default_str(std::to_string(value.count()));
}

void add_client_options(CLI::App& app, ClientOptions& options) {
    app.add_option_function<std::string>(
           "target",
           [&options](const std::string& text) { options.target = Endpoint::parse(text); },
           "127.0.0.1:80, [::1]:80, unix:/path or unix:@name")
        ->required();
    app.add_option("--method", options.request.method)->capture_default_str();
    app.add_option("--path", options.request.path)->capture_default_str();
    app.add_option("--body", options.request.body);
    app.add_option("--connections", options.connections, "at most so many at a time")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    add_milliseconds(app, "--timeout-ms", options.timeout, "of one request");
}

int run_client(const std::string& name, CLI::App& app, int argc, char** argv,
               const std::function<void()>& run) {
    try {
        CLI11_PARSE(app, argc, argv);
        raise_descriptor_limit();
        run();
        return 0;
    } catch (const std::exception& error) {
        std::cerr << name << ": " << error.what() << '\n';
        return 1;
    }
}

}  // namespace handover::test
