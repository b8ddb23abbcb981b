// SPDX-License-Identifier: MIT
#include "handoverd/client/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace handoverd {
namespace {

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

/// All of it. A terminal that is gone sends SIGHUP, so that there is nothing to say about a fault.
void write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto count = ::write(fd, text.data(), text.size());
        if (count < 0 && errno != EINTR) return;
        if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
    }
}

}  // namespace

bool has_cursor(int fd) {
    const auto type = environment("TERM");
    return ::isatty(fd) == 1 && !type.empty() && type != "dumb";
}

std::optional<TerminalSize> terminal_size(int fd) {
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        return std::nullopt;
    return TerminalSize{size.ws_col, size.ws_row};
}

OutputStyle output_style_of(int fd) {
    OutputStyle output;
    if (const auto size = terminal_size(fd)) output.columns = size->columns;
    output.coloured = has_cursor(fd) && environment("NO_COLOR").empty();
    return output;
}

FullScreen::FullScreen(int terminal, int keys) : terminal_(terminal), keys_(keys) {
    enter();
}

FullScreen::~FullScreen() {
    leave();
}

void FullScreen::enter() {
    termios now{};
    before_.reset();
    if (::tcgetattr(keys_, &now) == 0) {
        before_ = now;
        now.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON);
        (void)::tcsetattr(keys_, TCSADRAIN, &now);
    }
    write_all(terminal_, "\x1b[?1049h\x1b[?25l\x1b[?7l");
}

void FullScreen::leave() const {
    write_all(terminal_, "\x1b[?7h\x1b[?25h\x1b[?1049l");
    if (before_) (void)::tcsetattr(keys_, TCSADRAIN, &*before_);
}

void FullScreen::show(std::string_view lines) const {
    const auto size = terminal_size(terminal_);
    std::size_t room = size ? size->rows : std::string_view::npos;
    std::string written = "\x1b[H";
    while (!lines.empty() && room-- > 0) {
        const auto end = lines.find('\n');
        written.append(lines.substr(0, end)).append("\x1b[K");
        lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
        if (!lines.empty() && room > 0) written += "\r\n";
    }
    write_all(terminal_, written + "\x1b[J");
}

}  // namespace handoverd
