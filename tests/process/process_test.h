// SPDX-License-Identifier: MIT
#pragma once

#include "support/daemon.h"

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <string>

namespace handover::test {

/// A test with a directory of its own, and a handoverd in it that can be replaced.
class ProcessTest : public testing::Test {
  protected:
    /// A daemon with these options, started from the build.
    [[nodiscard]] static DaemonStart with_options(std::vector<std::string> options) {
        return {.options = std::move(options)};
    }
    /// The same from a copy at program().
    [[nodiscard]] DaemonStart from_copy(std::vector<std::string> options = {}) const {
        install(HANDOVERD_PROGRAM, program());
        return {.program = program(), .options = std::move(options)};
    }
    [[nodiscard]] std::filesystem::path program() const { return directory_ / "handoverd"; }

    const TemporaryDirectory directory_;
};

}  // namespace handover::test
