// SPDX-License-Identifier: MIT
#include "support/terminal_process.h"

#include "support/processes.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace handover::test {
namespace {

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error(errno, std::generic_category(), what);
}

void set_size(int terminal, unsigned short columns, unsigned short rows) {
    const winsize size{rows, columns, 0, 0};
    if (::ioctl(terminal, TIOCSWINSZ, &size) != 0) fail("TIOCSWINSZ");
}

std::vector<std::string> on_terminal(const std::string& path,
                                     const std::vector<std::string>& argv) {
    std::vector<std::string> result{
        "sh", "-c", R"(terminal=$1; shift; exec "$@" <"$terminal" >"$terminal" 2>&1)", "sh", path};
    result.insert(result.end(), argv.begin(), argv.end());
    return result;
}

ChildProcess::Environment with_type(ChildProcess::Environment environment) {
    environment.emplace("TERM", "xterm");
    environment.emplace("NO_COLOR", "");
    return environment;
}

}  // namespace

struct TerminalProcess::Ends {
    UniqueFd master;
    UniqueFd slave;
    std::string path;

    Ends() : master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)) {
        std::array<char, 64> name{};
        if (!master || ::grantpt(master.get()) != 0 || ::unlockpt(master.get()) != 0 ||
            ::ptsname_r(master.get(), name.data(), name.size()) != 0)
            fail("cannot make a pseudo-terminal");
        path = name.data();
        slave.reset(::open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
        if (!slave) fail("cannot open " + path);
        set_size(master.get(), columns, rows);
    }
};

TerminalProcess::TerminalProcess(const std::vector<std::string>& argv,
                                 ChildProcess::Environment environment)
    : TerminalProcess(Ends(), argv, std::move(environment)) {}

TerminalProcess::TerminalProcess(Ends ends, const std::vector<std::string>& argv,
                                 ChildProcess::Environment environment)
    : master_(std::move(ends.master)),
      slave_(std::move(ends.slave)),
      process_(on_terminal(ends.path, argv), with_type(std::move(environment))),
      screen_(columns, rows) {}

void TerminalProcess::read_available() {
    std::array<char, 4096> buffer{};
    for (ssize_t count = 1; count > 0;) {
        count = ::read(master_.get(), buffer.data(), buffer.size());
        if (count <= 0) return;
        const std::string_view bytes(buffer.data(), static_cast<std::size_t>(count));
        output_ += bytes;
        screen_.write(bytes);
    }
}

template <typename Condition>
bool TerminalProcess::wait_until(Condition condition) {
    const auto deadline = ChildProcess::Clock::now() + timeout;
    for (read_available(); !condition(); read_available()) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - ChildProcess::Clock::now());
        pollfd output{master_.get(), POLLIN, 0};
        if (left.count() <= 0 || ::poll(&output, 1, static_cast<int>(left.count())) == 0)
            return false;
    }
    return true;
}

bool TerminalProcess::wait_for_text(std::string_view text) {
    return wait_until([&] { return screen_.text().find(text) != std::string::npos; });
}

bool TerminalProcess::wait_for_alternate_screen(bool alternate) {
    return wait_until([&] { return screen_.is_alternate() == alternate; });
}

bool TerminalProcess::wait_for_stop() const {
    return eventually([this] {
        siginfo_t how{};
        return ::waitid(P_PID, static_cast<id_t>(process_.pid()), &how, WSTOPPED | WNOHANG) == 0 &&
               how.si_pid == process_.pid();
    });
}

void TerminalProcess::press(std::string_view keys) {
    if (::write(master_.get(), keys.data(), keys.size()) != static_cast<ssize_t>(keys.size()))
        fail("cannot press a key");
}

void TerminalProcess::resize(unsigned short new_columns, unsigned short new_rows) {
    read_available();
    screen_.resize(new_columns, new_rows);
    set_size(master_.get(), new_columns, new_rows);
    process_.signal(SIGWINCH);
}

bool TerminalProcess::reads_keys() const {
    termios now{};
    if (::tcgetattr(slave_.get(), &now) != 0) fail("tcgetattr");
    return (now.c_lflag & static_cast<tcflag_t>(ECHO | ICANON)) == 0;
}

int TerminalProcess::await_end() {
    // It may have to write before it can end, so what it writes is read meanwhile.
    constexpr std::chrono::milliseconds step{20};
    const auto deadline = ChildProcess::Clock::now() + timeout;
    auto finished = process_.wait(step);
    for (; !finished && ChildProcess::Clock::now() < deadline; finished = process_.wait(step))
        read_available();
    read_available();
    if (!finished) throw std::runtime_error("it does not end; it shows:\n" + screen_.text());
    return finished->exit_status;
}

}  // namespace handover::test
