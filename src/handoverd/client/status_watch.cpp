// SPDX-License-Identifier: MIT
#include "handoverd/client/status_watch.h"

#include "handover/error.h"
#include "handover/printable.h"
#include "handover/unique_fd.h"
#include "handoverd/client/number_format.h"
#include "handoverd/client/status_feed.h"
#include "handoverd/client/status_screen.h"
#include "handoverd/client/terminal.h"
#include "handoverd/config/options.h"

#include <spdlog/fmt/fmt.h>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace handoverd {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

/// Readable when a signal has come that concerns who uses the terminal. From now on they are
/// blocked in this thread and those it makes, to the very end: a late one must not kill the process
/// while it gives the terminal back.
handover::UniqueFd receive_signals() {
    sigset_t signals;
    ::sigemptyset(&signals);
    for (const int number : {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGTSTP, SIGWINCH})
        ::sigaddset(&signals, number);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    handover::UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd) throw handover::os_error("cannot receive signals", errno);
    return fd;
}

/// What has come from the feed.
struct Received {
    std::optional<json> status;
    Clock::time_point status_came{};
    std::optional<Clock::time_point> silent_since = Clock::now();
    std::string fault;  ///< why nobody answers, as far as known

    /// One generation takes a moment to follow another; that is no news.
    [[nodiscard]] bool is_silent() const {
        constexpr seconds moment{1};
        return silent_since && Clock::now() - *silent_since >= moment;
    }
};

class StatusWatch {
  public:
    explicit StatusWatch(const AdminClient& admin)
        : endpoint_(admin.endpoint()),
          signals_(receive_signals()),  // before the feed starts its thread
          changed_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
          feed_(admin, {.on_status = [this](const json& status) { on_status(status); },
                        .on_silence = [this](const std::string& fault) { on_silence(fault); }}),
          full_screen_(STDOUT_FILENO, STDIN_FILENO) {}

    void run() {
        std::array<pollfd, 3> sources{
            pollfd{signals_.get(), POLLIN, 0}, pollfd{changed_.get(), POLLIN, 0},
            pollfd{::isatty(STDIN_FILENO) == 1 ? STDIN_FILENO : -1, POLLIN, 0}};
        constexpr milliseconds interval{1'000};  // countdowns and ages
        while (!ended_) {
            if (::poll(sources.data(), sources.size(), interval.count()) > 0) handle(sources);
            if (!ended_) paint();
        }
    }

  private:
    // ---- on the thread of the feed

    void on_status(const json& status) {
        const std::lock_guard lock(mutex_);
        received_ = {
            .status = status, .status_came = Clock::now(), .silent_since = {}, .fault = {}};
        (void)::eventfd_write(changed_.get(), 1);
    }

    /// Needs no painting at once: it is shown when it has lasted.
    void on_silence(const std::string& fault) {
        const std::lock_guard lock(mutex_);
        if (!received_.silent_since) received_.silent_since = Clock::now();
        if (!fault.empty()) received_.fault = fault;
    }

    // ---- on the thread of run()

    void handle(std::array<pollfd, 3>& sources) {
        auto& [signals, changed, keys] = sources;
        eventfd_t count = 0;
        if (changed.revents != 0) (void)::eventfd_read(changed_.get(), &count);
        if (keys.revents != 0 && !read_keys()) keys.fd = -1;  // poll(2) passes over it
        if (signals.revents != 0) take_signal();
    }

    void take_signal() {
        signalfd_siginfo signal{};
        if (::read(signals_.get(), &signal, sizeof signal) != sizeof signal) return;
        if (signal.ssi_signo == SIGTSTP) {
            full_screen_.leave();
            (void)std::raise(SIGSTOP);
            full_screen_.enter();
        } else if (signal.ssi_signo != SIGWINCH) {
            ended_ = true;
        }
    }

    /// False: there will be no more.
    bool read_keys() {
        std::array<char, 64> keys{};
        const auto count = ::read(STDIN_FILENO, keys.data(), keys.size());
        if (count <= 0) return false;
        const std::string_view pressed(keys.data(), static_cast<std::size_t>(count));
        if (pressed.find('q') != std::string_view::npos) ended_ = true;
        return true;
    }

    [[nodiscard]] std::string top_line(const Received& last, const OutputStyle& output) const {
        if (!last.is_silent()) return Cell{endpoint_, Style::faint}.in(output) + "\n";
        const auto silence =
            std::chrono::duration_cast<milliseconds>(Clock::now() - *last.silent_since);
        const auto reason =
            last.fault.empty() ? "no answer from the admin listener " + endpoint_ : last.fault;
        const auto text = fmt::format("{}: {}", age_in_words(silence.count()), reason);
        return Cell{handover::printable(text), Style::bad}.in(output) + "\n";
    }

    /// Without the mutex: a terminal that takes nothing must not hold up the feed.
    void paint() {
        const auto last = snapshot();
        auto output = output_style_of(STDOUT_FILENO);
        auto lines = top_line(last, output);
        if (last.status) {
            const auto age =
                std::chrono::duration_cast<milliseconds>(Clock::now() - last.status_came);
            if (last.is_silent()) output.coloured = false;  // nothing is as it was any more
            lines += status_screen(*last.status, output, now_of(*last.status) + age.count());
        }
        full_screen_.show(lines);
    }

    [[nodiscard]] Received snapshot() {
        const std::lock_guard lock(mutex_);
        return received_;
    }

    const std::string endpoint_;
    const handover::UniqueFd signals_;
    const handover::UniqueFd changed_;  ///< readable when there is another status
    bool ended_ = false;
    std::mutex mutex_;
    Received received_;  ///< guarded by the mutex
    StatusFeed feed_;
    FullScreen full_screen_;  ///< ends before the feed, which may take a moment
};

}  // namespace

int watch_status(const AdminClient& admin) {
    if (!has_cursor(STDOUT_FILENO))
        throw UsageError(EX_USAGE,
                         "status --watch paints over what it has painted, and standard output is "
                         "no terminal that can do so: leave --watch away, or read /events of the "
                         "admin listener");
    StatusWatch(admin).run();
    return 0;
}

}  // namespace handoverd
