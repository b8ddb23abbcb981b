// SPDX-License-Identifier: MIT
#include "handoverd/client/status_watch.h"

#include "handover/base/event_loop.h"
#include "handover/printable.h"
#include "handoverd/client/number_format.h"
#include "handoverd/client/status_feed.h"
#include "handoverd/client/status_screen.h"
#include "handoverd/client/terminal.h"

#include <spdlog/fmt/fmt.h>

#include <sysexits.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <optional>
#include <utility>

namespace handoverd {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

class Watch {
  public:
    explicit Watch(const Options& options)
        : admin_(options.admin),
          tick_(loop_, [this] { paint(); }),
          // Blocked before the feed starts its thread, so that each comes to the loop.
          signals_(loop_, {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGTSTP, SIGWINCH},
                   [this](int number, pid_t) { on_signal(number); }),
          feed_(options,
                {[this](const json& status) { loop_.post([this, status] { on_status(status); }); },
                 [this](const std::string& fault) {
                     loop_.post([this, fault] { on_silence(fault); });
                 }}),
          full_screen_(STDOUT_FILENO, STDIN_FILENO) {
        if (::isatty(STDIN_FILENO) == 1) loop_.watch(STDIN_FILENO, [this] { on_key(); });
        tick_.start_every(std::chrono::seconds(1));  // countdowns and ages
    }

    void run() { loop_.run(); }

  private:
    void on_status(const json& status) {
        status_ = status;
        status_came_ = Clock::now();
        silent_since_.reset();
        fault_.clear();
        paint();
    }

    void on_silence(const std::string& fault) {
        if (!silent_since_) silent_since_ = Clock::now();
        if (!fault.empty()) fault_ = fault;
    }

    void on_signal(int number) {
        if (number == SIGTSTP) {
            full_screen_.leave();
            (void)std::raise(SIGSTOP);
            full_screen_.enter();
        } else if (number != SIGWINCH) {
            return loop_.stop();
        }
        paint();
    }

    void on_key() {
        std::array<char, 64> keys{};
        const auto count = ::read(STDIN_FILENO, keys.data(), keys.size());
        if (count <= 0) loop_.forget(STDIN_FILENO);
        for (ssize_t i = 0; i < count; ++i)
            if (keys.at(static_cast<std::size_t>(i)) == 'q') loop_.stop();
    }

    /// One generation takes a moment to follow another; that is no news.
    [[nodiscard]] bool is_silent() const {
        constexpr std::chrono::seconds moment{1};
        return silent_since_ && Clock::now() - *silent_since_ >= moment;
    }

    [[nodiscard]] std::string top_line(const OutputStyle& view) const {
        if (!is_silent()) return Cell{admin_, Style::faint}.in(view) + "\n";
        const auto silence =
            std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - *silent_since_);
        const auto reason = fault_.empty() ? "no answer from the admin listener " + admin_ : fault_;
        return Cell{handover::printable(
                        fmt::format("{}: {}", age_in_words(silence.count()), reason)),
                    Style::bad}
                   .in(view) +
               "\n";
    }

    void paint() const {
        auto view = view_of(STDOUT_FILENO);
        auto lines = top_line(view);
        if (!status_) return full_screen_.show(lines);
        const auto age =
            std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - status_came_);
        if (is_silent()) view.coloured = false;  // nothing is as it was any more
        lines += status_screen(*status_, view, now_of(*status_) + age.count());
        full_screen_.show(lines);
    }

    const std::string admin_;
    handover::EventLoop loop_;
    handover::Timer tick_;
    handover::Signals signals_;
    std::optional<json> status_;  ///< the last one
    Clock::time_point status_came_{};
    std::optional<Clock::time_point> silent_since_ = Clock::now();
    std::string fault_;  ///< why it is silent, as far as known
    StatusFeed feed_;
    FullScreen full_screen_;  ///< ends before the feed, which may take a moment
};

}  // namespace

int watch(const Options& options) {
    if (!has_cursor(STDOUT_FILENO))
        throw UsageError(EX_USAGE,
                         "status --watch paints over what it has painted, and standard output is "
                         "no terminal that can do so: leave --watch away, or read /events of the "
                         "admin listener");
    Watch(options).run();
    return 0;
}

}  // namespace handoverd
