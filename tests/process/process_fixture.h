// SPDX-License-Identifier: MIT
#pragma once

#include "support/daemon.h"
#include "support/programs.h"

#include <gtest/gtest.h>

#include <sys/types.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace handover::test {

/// A test with a directory of its own, and a handoverd in it that can be replaced.
class ProcessTest : public testing::Test {
  protected:
    /// A daemon with these options, started from the build.
    [[nodiscard]] static DaemonOptions with_options(std::vector<std::string> options) {
        return {.options = std::move(options)};
    }
    /// The same from a copy at program().
    [[nodiscard]] DaemonOptions from_copy(std::vector<std::string> options = {}) const {
        install(handoverd_program(), program());
        return {.program = program(), .options = std::move(options)};
    }
    [[nodiscard]] std::filesystem::path program() const { return directory_ / "handoverd"; }

    /// The same as a user who is not root, and who may write into the directory. Others may look
    /// into it.
    [[nodiscard]] DaemonOptions from_copy_as(uid_t user,
                                             std::vector<std::string> options = {}) const {
        namespace fs = std::filesystem;
        fs::permissions(directory_.path(), fs::perms::all);
        install(handoverd_program(), program());
        const auto starter = directory_ / "as-user";
        const auto id = std::to_string(user);
        install_text("#!/bin/sh\nexec setpriv --reuid=" + id + " --regid=" + id +
                         " --clear-groups " + program().string() + " \"$@\"\n",
                     fs::perms::all, starter);
        return {.program = starter, .options = std::move(options)};
    }
    static constexpr uid_t nobody = 65534;

    /// In place of program(), one that stops itself before it becomes handoverd.
    void install_one_that_stops_itself() const {
        const auto real = directory_ / "real";
        install(handoverd_program(), real);
        install_text("#!/bin/sh\nkill -STOP $$\nexec " + real.string() + " \"$@\"\n",
                     std::filesystem::perms::all, program());
    }
    /// Lets each of them go on that is not the daemon itself.
    static void continue_others(const Daemon& daemon) {
        for (const auto pid : daemon.processes())
            if (pid != daemon.pid()) ::kill(pid, SIGCONT);
    }

    const TemporaryDirectory directory_;
};

}  // namespace handover::test
