// SPDX-License-Identifier: MIT
#include "handoverd/reload_progress.h"

#include "handoverd/progress_of_reload.h"
#include "handoverd/status_screen.h"
#include "handoverd/terminal.h"

#include <unistd.h>

#include <cstdio>

namespace handoverd {

using nlohmann::json;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

ReloadProgress::ReloadProgress(const Options& options) : tick_(loop_, [this] { paint(); }) {
    if (!has_cursor(STDERR_FILENO)) return;
    tick_.start_every(milliseconds(250));
    feed_.emplace(options, StatusFeed::Callbacks{[this](const json& status) {
                                                     loop_.post([this, status] {
                                                         status_ = status;
                                                         status_came_ = Clock::now();
                                                     });
                                                 },
                                                 [](const std::string&) {}});
    thread_ = std::thread([this] { loop_.run(); });
}

ReloadProgress::~ReloadProgress() {
    if (!thread_.joinable()) return;
    loop_.post([this] { loop_.stop(); });
    thread_.join();
    if (painted_) std::fputs("\r\x1b[K", stderr);
}

void ReloadProgress::paint() {
    if (!status_) return;
    const auto age = std::chrono::duration_cast<milliseconds>(Clock::now() - status_came_);
    auto view = view_of(STDERR_FILENO);
    if (view.columns) --*view.columns;  // a cursor in the last column wraps on some terminals
    const Cell line{progress_of_reload(*status_, now_of(*status_) + age.count()), Tone::faint};
    std::fputs(("\r" + line.in(view) + "\x1b[K").c_str(), stderr);
    painted_ = true;
}

}  // namespace handoverd
