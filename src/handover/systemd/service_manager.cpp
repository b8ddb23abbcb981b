// SPDX-License-Identifier: MIT
#include "handover/systemd/service_manager.h"

#include "handover/base/parse_number.h"
#include "handover/printable.h"

#include <systemd/sd-daemon.h>

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace handover {
namespace {

/// A newline in the sentence would begin the next assignment, and systemd takes nothing but UTF-8.
std::string status_line(const std::string& sentence) {
    return "STATUS=" + printable(sentence);
}

std::uint64_t monotonic_us() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1000000 +
           static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

std::optional<unsigned> read_capacity() {
    const char* text = std::getenv("FDSTORE");
    return to_number<unsigned>(text ? text : "");
}

}  // namespace

ServiceManager::ServiceManager()
    : present_(std::getenv("NOTIFY_SOCKET") != nullptr), capacity_(read_capacity()) {
    if (present_) reserve();
}

void ServiceManager::reserve() const {
    reserve_.reset(::open("/dev/null", O_PATH | O_CLOEXEC));
}

/// libsystemd opens a socket for each message. A manager that has heard RELOADING=1 must hear
/// READY=1 also when connections have taken all descriptors but the one in reserve.
int ServiceManager::notify(const std::string& message, std::span<const int> fds) const {
    const auto send = [&] {
        return sd_pid_notify_with_fds(0, 0, message.c_str(), fds.data(),
                                      static_cast<unsigned>(fds.size()));
    };
    int result = send();
    if (result == -EMFILE || result == -ENFILE) {
        reserve_.reset();
        result = send();
        reserve();
    }
    return result;
}

void ServiceManager::send(const std::string& message) const {
    if (present_ && !silent_) notify(message, {});
}

void ServiceManager::ready(const std::string& sentence) const {
    send("READY=1\n" + status_line(sentence));
}

void ServiceManager::reloading(const std::string& sentence) const {
    // Without MONOTONIC_USEC a Type=notify-reload unit would not believe it (systemd.service(5)).
    send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic_us()) + "\n" +
         status_line(sentence));
}

void ServiceManager::stopping(const std::string& sentence) const {
    send("STOPPING=1\n" + status_line(sentence));
}

void ServiceManager::status(const std::string& sentence) const {
    send(status_line(sentence));
}

void ServiceManager::hand_main_pid(pid_t successor, const std::string& sentence) const {
    send("MAINPID=" + std::to_string(successor) + "\nREADY=1\nWATCHDOG=1\n" +
         status_line(sentence));
}

void ServiceManager::extend_timeout(std::chrono::microseconds by) const {
    send("EXTEND_TIMEOUT_USEC=" + std::to_string(by.count()));
}

std::optional<std::chrono::microseconds> ServiceManager::watchdog_interval() const {
    std::uint64_t usec = 0;
    if (!present_ || silent_ || sd_watchdog_enabled(0, &usec) <= 0) return std::nullopt;
    return std::chrono::microseconds(usec / 2);
}

void ServiceManager::watchdog() const {
    send("WATCHDOG=1");
}

void ServiceManager::store_fd(int fd, const std::string& name, Watched watched) const {
    if (!present_) return;
    const std::string message =
        "FDSTORE=1\nFDNAME=" + name + (watched == Watched::no ? "\nFDPOLL=0" : "");
    notify(message, {&fd, 1});
}

void ServiceManager::remove_fds(const std::string& name) const {
    send("FDSTOREREMOVE=1\nFDNAME=" + name);
}

UniqueFd ServiceManager::barrier() const {
    int ends[2];
    if (!present_ || ::pipe2(ends, O_CLOEXEC) != 0) return UniqueFd();
    UniqueFd ours(ends[0]);
    UniqueFd theirs(ends[1]);  // our copy closes here; the manager closes its own when it is done
    const int fd = theirs.get();
    if (notify("BARRIER=1", {&fd, 1}) <= 0) return UniqueFd();
    return ours;
}

}  // namespace handover
