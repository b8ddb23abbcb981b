// SPDX-License-Identifier: MIT
#pragma once

#include "handover/unique_fd.h"

#include <dirent.h>
#include <fcntl.h>

#include <cstdlib>
#include <set>

namespace handover::test {

/// What this process has open now; taken before and after, it shows a leak.
inline std::set<int> open_descriptors() {
    std::set<int> open;
    DIR* directory = ::opendir("/proc/self/fd");
    while (const dirent* entry = ::readdir(directory))
        if (entry->d_name[0] != '.')
            open.insert(static_cast<int>(std::strtol(entry->d_name, nullptr, 10)));
    open.erase(::dirfd(directory));
    ::closedir(directory);
    return open;
}

inline bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) >= 0;
}

inline bool is_cloexec(int fd) {
    return (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

inline bool is_nonblocking(int fd) {
    return (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

}  // namespace handover::test
