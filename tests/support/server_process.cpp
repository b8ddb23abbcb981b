// SPDX-License-Identifier: MIT
#include "support/server_process.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <set>
#include <stdexcept>
#include <system_error>

extern char** environ;  // NOLINT(readability-redundant-declaration): unistd.h has it only for GNU

namespace handover::test {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail_with(int error, const std::string& what) {
    throw std::system_error(error, std::generic_category(), what);
}

bool is_of_a_service_manager(const std::string& name) {
    static const std::set<std::string> names = {
        "LISTEN_FDS",   "LISTEN_FDNAMES", "LISTEN_PID",      "LISTEN_PIDFDID",    "NOTIFY_SOCKET",
        "WATCHDOG_PID", "WATCHDOG_USEC",  "FDSTORE",         "RUNTIME_DIRECTORY", "JOURNAL_STREAM",
        "MAINPID",      "INVOCATION_ID",  "SYSTEMD_EXEC_PID"};
    return names.contains(name);
}

std::map<std::string, std::optional<std::string>> environment_of(const ProcessOptions& start) {
    std::map<std::string, std::optional<std::string>> result;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text = *entry;
        const auto equals = text.find('=');
        const auto name = text.substr(0, equals);
        if (equals != std::string::npos && !is_of_a_service_manager(name))
            result[name] = text.substr(equals + 1);
    }
    if (!start.inherited.empty()) {
        std::string names;
        for (const auto& inherited : start.inherited)
            names += (names.empty() ? "" : ":") + inherited.name;
        result["LISTEN_FDS"] = std::to_string(start.inherited.size());
        result["LISTEN_FDNAMES"] = names;
        result["LISTEN_PID"] = ProcessOptions::own_pid;
    }
    for (const auto& [name, value] : start.environment) result[name] = value;
    return result;
}

/// All that the child needs between fork and exec, where it must not allocate: this process may
/// have threads.
class Image {
  public:
    Image(const ProcessOptions& start, int output) : output_(output) {
        executable_ = start.executable.empty() ? start.argv.at(0) : start.executable.string();
        directory_ = start.directory.string();
        arguments_ = start.argv;
        for (const auto& [name, value] : environment_of(start)) {
            if (!value) continue;
            const bool is_pid = *value == ProcessOptions::own_pid;
            variables_.push_back(name + "=" + (is_pid ? std::string(pid_room, '\0') : *value));
            if (is_pid) pid_places_.emplace_back(variables_.size() - 1, name.size() + 1);
        }
        for (auto& text : arguments_) argv_.push_back(text.data());
        for (auto& text : variables_) envp_.push_back(text.data());
        argv_.push_back(nullptr);
        envp_.push_back(nullptr);
        // Out of the way of the numbers where they shall be, which leaves room for dup2().
        for (const auto& inherited : start.inherited) {
            fds_.emplace_back(::fcntl(inherited.fd, F_DUPFD_CLOEXEC, far_away));
            if (!fds_.back()) fail_with(errno, "cannot duplicate a descriptor to pass on");
        }
        for (const int fd : start.unannounced) {
            fds_.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, far_away));
            if (!fds_.back()) fail_with(errno, "cannot duplicate a descriptor to pass on");
        }
        null_.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    }

    /// In the child.
    [[noreturn]] void become() {
        ::setpgid(0, 0);
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // should the test itself be killed
        for (const auto& [variable, offset] : pid_places_)
            write_number(variables_[variable].data() + offset, ::getpid());
        ::dup2(null_.get(), STDIN_FILENO);
        ::dup2(output_, STDOUT_FILENO);
        ::dup2(output_, STDERR_FILENO);
        int place = STDERR_FILENO + 1;
        for (const auto& fd : fds_) ::dup2(fd.get(), place++);
        // Whatever the test itself was started with.
        ::syscall(SYS_close_range, place, ~0U, CLOSE_RANGE_CLOEXEC);
        for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
        sigset_t none;
        ::sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        if (directory_.empty() || ::chdir(directory_.c_str()) == 0)
            ::execve(executable_.c_str(), argv_.data(), envp_.data());
        ::_exit(127);
    }

  private:
    static constexpr std::size_t pid_room = 12;
    static constexpr int far_away = 200;

    static void write_number(char* place, pid_t number) {
        std::array<char, pid_room> digits{};
        std::size_t count = 0;
        for (; number > 0; number /= 10) digits.at(count++) = static_cast<char>('0' + number % 10);
        while (count > 0) *place++ = digits.at(--count);
    }

    std::string executable_;
    std::string directory_;
    std::vector<std::string> arguments_;
    std::vector<std::string> variables_;
    std::vector<std::pair<std::size_t, std::size_t>> pid_places_;
    std::vector<char*> argv_;
    std::vector<char*> envp_;
    std::vector<UniqueFd> fds_;
    UniqueFd null_;
    int output_;
};

}  // namespace

ServerProcess::ServerProcess(const ProcessOptions& start) {
    adopt_orphans();
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail_with(errno, "pipe");
    output_.reset(ends[0]);
    const UniqueFd writing(ends[1]);
    ::fcntl(output_.get(), F_SETFL, ::fcntl(output_.get(), F_GETFL) | O_NONBLOCK);
    Image image(start, writing.get());
    first_ = ::fork();
    if (first_ < 0) fail_with(errno, "fork");
    if (first_ == 0) image.become();
    // In both processes: whoever comes first.
    ::setpgid(first_, first_);
}

ServerProcess::~ServerProcess() {
    try {
        end_group(first_);
        read_available();
    } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
    }
    for (const auto* text : {"Sanitizer", "runtime error:"})
        EXPECT_EQ(log_.find(text), std::string::npos) << log_;
    if (testing::Test::HasFailure())
        std::fprintf(stderr, "--- log of the server:\n%s", log_.c_str());
}

void ServerProcess::fail(const std::string& what) {
    throw std::runtime_error(what + ", but it logged:\n" + log());
}

void ServerProcess::read_available() {
    std::array<char, 16384> bytes{};
    while (output_) {
        const auto size = ::read(output_.get(), bytes.data(), bytes.size());
        if (size > 0) log_.append(bytes.data(), static_cast<std::size_t>(size));
        if (size == 0) output_.reset();
        if (size < 0 && errno != EINTR) return;
    }
}

const std::string& ServerProcess::log() {
    read_available();
    return log_;
}

std::string ServerProcess::await_line(std::string_view part, std::size_t after) {
    const auto deadline = Clock::now() + timeout;
    for (;;) {
        const auto found = log().find(part, after);
        const auto end = log_.find('\n', found);
        if (found != std::string::npos && end != std::string::npos) {
            const auto begin = log_.rfind('\n', found) + 1;
            return log_.substr(begin, end - begin);
        }
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (!output_ || left.count() <= 0) fail("expected '" + std::string(part) + "'");
        pollfd more{output_.get(), POLLIN, 0};
        (void)::poll(&more, 1, static_cast<int>(left.count()));
    }
}

bool ServerProcess::wait_for_only(const std::vector<pid_t>& pids) const {
    return wait_for_group(first_, pids);
}

pid_t pid_in(std::string_view line) {
    constexpr std::string_view before = "(pid ";
    const auto begin = line.find(before);
    if (begin == std::string_view::npos) return -1;
    return static_cast<pid_t>(std::stol(std::string(line.substr(begin + before.size()))));
}

Endpoint endpoint_in(std::string_view line, std::string_view name, std::size_t index) {
    const auto before = " " + std::string(name) + " on ";
    auto begin = line.find(before);
    for (; index > 0 && begin != std::string_view::npos; --index)
        begin = line.find(before, begin + 1);
    if (begin == std::string_view::npos)
        throw std::runtime_error("no listener '" + std::string(name) +
                                 "' in: " + std::string(line));
    begin += before.size();
    const auto end = std::min(line.find(", ", begin), line.find("; ", begin));
    return Endpoint::parse(line.substr(begin, end - begin));
}

}  // namespace handover::test
