// SPDX-License-Identifier: MIT
//
// A wall clock that steps by hours, to and fro, whenever somebody looks at it: as on a machine
// whose clock is set while it works, only worse. Linked into a program, it takes the place of
// libc's functions for all of its code, that of the libraries included. Other clocks are as they
// are.

#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

namespace {

constexpr long step_s = 5L * 60 * 60;

long offset_s() {
    static std::atomic<unsigned> looks = 0;
    // Not in turns: whoever looks twice each time would see only one of them.
    const unsigned scattered = (looks.fetch_add(1) * 2654435761U) >> 16U;
    return static_cast<long>(scattered % 3) * step_s - step_s;
}

bool is_wall_clock(clockid_t clock) {
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* now) noexcept {
    if (::syscall(SYS_clock_gettime, clock, now) != 0) return -1;
    if (is_wall_clock(clock)) now->tv_sec += offset_s();
    return 0;
}

extern "C" int gettimeofday(timeval* now, void* /*time_zone*/) noexcept {
    timespec precise{};
    ::clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

extern "C" time_t time(time_t* now) noexcept {
    timespec precise{};
    ::clock_gettime(CLOCK_REALTIME, &precise);
    if (now) *now = precise.tv_sec;
    return precise.tv_sec;
}
