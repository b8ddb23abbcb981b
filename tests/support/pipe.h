// SPDX-License-Identifier: MIT
#pragma once

#include "handover/unique_fd.h"
#include "support/processes.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <system_error>

namespace handover::test {

struct Pipe {
    UniqueFd in;   ///< to read from
    UniqueFd out;  ///< to write to

    Pipe() {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0)
            throw std::system_error(errno, std::generic_category(), "pipe2");
        in.reset(ends[0]);
        out.reset(ends[1]);
    }
};

/// Readable, or hung up.
inline bool wait_for_input(int fd, std::chrono::milliseconds within = timeout) {
    pollfd waiting{fd, POLLIN, 0};
    return ::poll(&waiting, 1, static_cast<int>(within.count())) == 1;
}

/// Everything until all who could write are gone, or until nobody has written for long.
inline std::string read_to_end(int fd) {
    std::string all;
    std::array<char, 4096> some{};
    while (wait_for_input(fd)) {
        const auto count = ::read(fd, some.data(), some.size());
        if (count <= 0) break;
        all.append(some.data(), static_cast<std::size_t>(count));
    }
    return all;
}

}  // namespace handover::test
