// SPDX-License-Identifier: MIT
#include "handoverd/client/progress_line.h"

#include "handoverd/client/progress_text.h"
#include "handoverd/client/status_screen.h"
#include "handoverd/client/terminal.h"

#include <unistd.h>

#include <cstdio>

namespace handoverd {

using nlohmann::json;
using std::chrono::milliseconds;

ProgressLine::ProgressLine(const AdminClient& admin) {
    if (!has_cursor(STDERR_FILENO)) return;
    feed_.emplace(admin, StatusFeed::Callbacks{.on_status =
                                                   [this](const json& status) {
                                                       const std::lock_guard lock(mutex_);
                                                       status_ = status;
                                                       status_came_ = Clock::now();
                                                       changed_.notify_all();
                                                   },
                                               .on_silence = [](const std::string&) {}});
    thread_ = std::thread([this] { run(); });
}

ProgressLine::~ProgressLine() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        changed_.notify_all();
    }
    thread_.join();
    if (painted_) std::fputs("\r\x1b[K", stderr);
}

std::optional<json> ProgressLine::await_drained(std::int64_t generation, milliseconds at_most) {
    if (!thread_.joinable()) return std::nullopt;
    std::unique_lock lock(mutex_);
    const bool known = changed_.wait_for(
        lock, at_most, [&] { return status_ && is_settled(*status_, generation); });
    return known ? status_ : std::nullopt;
}

void ProgressLine::run() {
    constexpr milliseconds interval{250};
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, interval, [this] { return stopping_; })) paint();
}

/// With the mutex held.
void ProgressLine::paint() {
    if (!status_) return;
    const auto age = std::chrono::duration_cast<milliseconds>(Clock::now() - status_came_);
    auto output = output_style_of(STDERR_FILENO);
    if (output.columns) --*output.columns;  // a cursor in the last column wraps on some terminals
    const Cell line{progress_text(*status_, now_of(*status_) + age.count()), Style::faint};
    std::fputs(("\r" + line.in(output) + "\x1b[K").c_str(), stderr);
    painted_ = true;
}

}  // namespace handoverd
