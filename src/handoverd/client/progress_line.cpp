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

ProgressLine::ProgressLine(const Options& options) : tick_(loop_, [this] { paint(); }) {
    if (!has_cursor(STDERR_FILENO)) return;
    tick_.start_every(milliseconds(250));
    feed_.emplace(options, StatusFeed::Callbacks{[this](const json& status) {
                                                     const std::lock_guard lock(mutex_);
                                                     status_ = status;
                                                     status_came_ = Clock::now();
                                                     status_comes_.notify_all();
                                                 },
                                                 [](const std::string&) {}});
    thread_ = std::thread([this] { loop_.run(); });
}

ProgressLine::~ProgressLine() {
    if (!thread_.joinable()) return;
    loop_.post([this] { loop_.stop(); });
    thread_.join();
    if (painted_) std::fputs("\r\x1b[K", stderr);
}

std::optional<json> ProgressLine::await_drained(std::int64_t generation, milliseconds at_most) {
    if (!thread_.joinable()) return std::nullopt;
    std::unique_lock lock(mutex_);
    const bool known = status_comes_.wait_for(
        lock, at_most, [&] { return status_ && has_departed(*status_, generation); });
    return known ? status_ : std::nullopt;
}

void ProgressLine::paint() {
    const std::lock_guard lock(mutex_);
    if (!status_) return;
    const auto age = std::chrono::duration_cast<milliseconds>(Clock::now() - status_came_);
    auto view = view_of(STDERR_FILENO);
    if (view.columns) --*view.columns;  // a cursor in the last column wraps on some terminals
    const Cell line{progress_text(*status_, now_of(*status_) + age.count()), Style::faint};
    std::fputs(("\r" + line.in(view) + "\x1b[K").c_str(), stderr);
    painted_ = true;
}

}  // namespace handoverd
