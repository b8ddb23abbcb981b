// SPDX-License-Identifier: MIT
//
// store_strangers: puts a pipe, a file, and a listening socket that nobody asked for into the fd
// store of the service in whose cgroup it runs; $NOTIFY_SOCKET says who keeps that. Returns when
// they are there, for systemd finds the service by the process that speaks.

#include "handover/unique_fd.h"

#include <systemd/sd-daemon.h>

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <string>

namespace {

using handover::UniqueFd;

constexpr std::uint64_t timeout_us = 10'000'000;

bool store(const char* name, const UniqueFd& fd) {
    const int number = fd.get();
    const auto message = std::string("FDSTORE=1\nFDPOLL=0\nFDNAME=") + name;
    return fd && sd_pid_notify_with_fds(0, 0, message.c_str(), &number, 1) > 0;
}

}  // namespace

int main() {
    int ends[2] = {-1, -1};
    if (::pipe(ends) != 0) return 1;
    const UniqueFd reading(ends[0]);
    const UniqueFd writing(ends[1]);
    const UniqueFd file(::memfd_create("stranger", MFD_CLOEXEC));
    const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket || ::listen(socket.get(), 1) != 0) return 1;
    if (!store("stranger-pipe", reading) || !store("stranger-file", file) ||
        !store("stranger-socket", socket) || sd_notify_barrier(0, timeout_us) <= 0) {
        std::perror("store_strangers");
        return 1;
    }
    return 0;
}
