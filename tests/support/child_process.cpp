// SPDX-License-Identifier: MIT
#include "support/child_process.h"

#include "support/processes.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

extern "C" {  // glibc 2.36 declares these for C only
#include <sys/pidfd.h>
}

extern char** environ;  // NOLINT(readability-redundant-declaration): unistd.h has it only for GNU

namespace handover::test {
namespace {

using std::chrono::milliseconds;

[[noreturn]] void throw_errno(int error, const std::string& what) {
    throw std::system_error(error, std::generic_category(), what);
}

struct Pipe {
    UniqueFd reading;
    UniqueFd writing;
};

Pipe make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno(errno, "pipe");
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

void make_nonblocking(int fd) {
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

std::vector<std::string> merged_environment(const ChildProcess::Environment& additions) {
    std::vector<std::string> entries;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text = *entry;
        if (!additions.contains(text.substr(0, text.find('=')))) entries.push_back(text);
    }
    for (const auto& [name, value] : additions)
        entries.emplace_back(name).append("=").append(value);
    return entries;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    result.reserve(texts.size() + 1);
    for (auto& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

/// posix_spawn(3) with the given descriptors as 0, 1 and 2.
pid_t spawn(std::vector<std::string> argv, std::vector<std::string> environment, int in, int out,
            int err) {
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, err, STDERR_FILENO);

    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

    pid_t pid = -1;
    auto arguments = pointers(argv);
    auto variables = pointers(environment);
    const int error =
        ::posix_spawnp(&pid, arguments[0], &files, &attributes, arguments.data(), variables.data());
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    if (error != 0) throw_errno(error, "cannot start " + argv.front());
    return pid;
}

/// Appends what can be read now; closes `fd` at its end.
void read_available(UniqueFd& fd, std::string& text) {
    std::array<char, 16384> buffer{};
    while (fd) {
        const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
        if (count > 0) {
            text.append(buffer.data(), static_cast<std::size_t>(count));
        } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
            fd.reset();
        } else if (errno == EAGAIN) {
            return;
        }
    }
}

milliseconds until(ChildProcess::Clock::time_point deadline) {
    return std::chrono::ceil<milliseconds>(deadline - ChildProcess::Clock::now());
}

}  // namespace

std::string Finished::text() const {
    return out.substr(0, out.find_last_not_of('\n') + 1);
}

ChildProcess::ChildProcess(const std::vector<std::string>& argv, const Environment& environment) {
    Pipe in = make_pipe();
    Pipe out = make_pipe();
    Pipe err = make_pipe();
    pid_ = spawn(argv, merged_environment(environment), in.reading.get(), out.writing.get(),
                 err.writing.get());
    pidfd_.reset(::pidfd_open(pid_, 0));
    if (!pidfd_) throw_errno(errno, "pidfd_open");
    stdin_ = std::move(in.writing);
    stdout_ = std::move(out.reading);
    stderr_ = std::move(err.reading);
    make_nonblocking(stdout_.get());
    make_nonblocking(stderr_.get());
}

ChildProcess::~ChildProcess() {
    if (!pidfd_ || exit_status_) return;
    ::pidfd_send_signal(pidfd_.get(), SIGKILL, nullptr, 0);
    siginfo_t ignored{};
    while (::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &ignored, WEXITED) != 0 &&
           errno == EINTR) {
    }
}

bool ChildProcess::write(std::string_view text) {
    // SIGPIPE would end the test; it is the child's news, not ours.
    struct sigaction ignore {};
    struct sigaction before {};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &ignore, &before);
    bool written = static_cast<bool>(stdin_);
    while (written && !text.empty()) {
        const ssize_t count = ::write(stdin_.get(), text.data(), text.size());
        if (count >= 0) text.remove_prefix(static_cast<std::size_t>(count));
        if (count < 0 && errno != EINTR) written = false;
    }
    ::sigaction(SIGPIPE, &before, nullptr);
    return written;
}

std::optional<std::string> ChildProcess::wait_for_line(std::string_view part, milliseconds within) {
    const auto deadline = Clock::now() + within;
    while (true) {
        for (std::size_t end = out_.find('\n', lines_read_to_); end != std::string::npos;
             end = out_.find('\n', lines_read_to_)) {
            const std::string line = out_.substr(lines_read_to_, end - lines_read_to_);
            lines_read_to_ = end + 1;
            if (line.find(part) != std::string::npos) return line;
        }
        if (!stdout_ || exit_status_ || Clock::now() >= deadline) return std::nullopt;
        pump(until(deadline));
    }
}

void ChildProcess::signal(int number) {
    if (!exit_status_) ::pidfd_send_signal(pidfd_.get(), number, nullptr, 0);
}

std::optional<Finished> ChildProcess::wait(milliseconds within) {
    const auto deadline = Clock::now() + within;
    while (!exit_status_ && Clock::now() < deadline) pump(until(deadline));
    if (!exit_status_) return std::nullopt;
    return Finished{*exit_status_, out_, err_,
                    std::chrono::duration_cast<milliseconds>(ended_ - started_)};
}

/// One poll(2): reads what has come, notices the end.
void ChildProcess::pump(milliseconds at_most) {
    std::array<pollfd, 3> events{
        {{stdout_.get(), POLLIN, 0}, {stderr_.get(), POLLIN, 0}, {pidfd_.get(), POLLIN, 0}}};
    ::poll(events.data(), events.size(),
           static_cast<int>(std::max(at_most, milliseconds(0)).count()));
    read_available(stdout_, out_);
    read_available(stderr_, err_);
    if (events[2].revents != 0) reap();
}

void ChildProcess::reap() {
    siginfo_t how{};
    if (::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &how, WEXITED) != 0)
        throw_errno(errno, "waitid");
    exit_status_ = how.si_code == CLD_EXITED ? how.si_status : -how.si_status;
    ended_ = Clock::now();
    read_available(stdout_, out_);
    read_available(stderr_, err_);
}

Finished run_command(const std::vector<std::string>& argv, milliseconds within,
                     const ChildProcess::Environment& environment) {
    ChildProcess child(argv, environment);
    child.close_stdin();
    if (auto finished = child.wait(within)) return *finished;
    child.signal(SIGKILL);
    auto finished = child.wait(timeout);
    if (!finished) throw std::runtime_error(argv.front() + " does not die");
    finished->err += "(killed: not done in " + std::to_string(within.count()) + " ms)\n";
    return *finished;
}

}  // namespace handover::test
