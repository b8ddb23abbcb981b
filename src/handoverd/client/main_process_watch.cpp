// SPDX-License-Identifier: MIT
#include "handoverd/client/main_process_watch.h"

#include "handoverd/config/parse_number.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

namespace handoverd {
namespace {

/// Readable when the process of $MAINPID has ended, or had before; empty if that is not set.
handover::UniqueFd main_process() {
    const char* text = std::getenv("MAINPID");
    const auto pid = parse_number<pid_t>(text ? text : "").value_or(0);
    if (pid <= 0) return handover::UniqueFd();
    handover::UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!process && errno == ESRCH) process.reset(::eventfd(1, EFD_CLOEXEC));
    return process;
}

}  // namespace

MainProcessWatch::MainProcessWatch(std::function<bool()> is_served, std::function<void()> give_up)
    : is_served_(std::move(is_served)),
      give_up_(std::move(give_up)),
      main_process_(main_process()) {
    if (!main_process_) return;
    answered_.reset(::eventfd(0, EFD_CLOEXEC));
    thread_ = std::thread([this] { watch(); });
}

MainProcessWatch::~MainProcessWatch() {
    if (!thread_.joinable()) return;
    (void)::eventfd_write(answered_.get(), 1);
    thread_.join();
}

void MainProcessWatch::watch() const {
    std::array<pollfd, 2> either{pollfd{answered_.get(), POLLIN, 0},
                                 pollfd{main_process_.get(), POLLIN, 0}};
    while (::poll(either.data(), either.size(), -1) < 0 && errno == EINTR) continue;
    // It may well have ended as its successor has taken over, and the answer is on its way.
    if (either[0].revents == 0 && !is_served_()) give_up_();
}

}  // namespace handoverd
