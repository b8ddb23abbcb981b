// SPDX-License-Identifier: MIT
#pragma once

#include "handover/peer/channel.h"

#include <array>
#include <string>

namespace handover::test {

/// For successors that are scripts: a command of sh(1) that sends one packet over the channel. That
/// is the last of the descriptors, which begin at 3.
[[nodiscard]] inline std::string shell_sends(const std::string& packet) {
    std::string command = "printf '";
    for (const char byte : packet) {
        const auto value = static_cast<unsigned char>(byte);
        command += '\\';
        for (const int digit : std::array{value / 64, value / 8 % 8, value % 8})
            command += static_cast<char>('0' + digit);
    }
    return command + "' >&$((LISTEN_FDS + 2))";
}

[[nodiscard]] inline std::string shell_says(const Message& message) {
    return shell_sends(encode(message));
}

}  // namespace handover::test
