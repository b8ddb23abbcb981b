// SPDX-License-Identifier: MIT
#include "http/thread_state.h"

#include "handover/unique_fd.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>

namespace handover::http {

ThreadState::ThreadState() : tid_(::gettid()) {
    (void)::pthread_getcpuclockid(::pthread_self(), &clock_);
}

bool ThreadState::runnable() const {
    const auto path = "/proc/self/task/" + std::to_string(tid_) + "/stat";
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 128> text{};
    const auto size = ::read(file.get(), text.data(), text.size());
    if (size <= 0) return false;
    // "TID (NAME) STATE ...", and a name may have parentheses.
    const std::string_view line(text.data(), static_cast<std::size_t>(size));
    const auto name_end = line.rfind(") ");
    return name_end != line.npos && line.substr(name_end + 2, 1) == "R";
}

std::chrono::nanoseconds ThreadState::processor_time() const {
    timespec time{};
    if (::clock_gettime(clock_, &time) != 0) return {};
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace handover::http
