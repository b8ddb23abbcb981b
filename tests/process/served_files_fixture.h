// SPDX-License-Identifier: MIT
#pragma once

#include "process/process_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace handover::test {

/// A test with a directory of files, which a handoverd may serve.
class ServedFiles : public ProcessTest {
  protected:
    ServedFiles() { std::filesystem::create_directories(root_); }

    static void write(const std::filesystem::path& path, const std::string& text) {
        std::ofstream(path, std::ios::binary) << text;
    }
    /// Sets the time of the last change, in seconds since 1970.
    static void set_time(const std::filesystem::path& path, time_t seconds) {
        const timespec times[2] = {{0, UTIME_OMIT}, {seconds, 0}};
        EXPECT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
    }

    [[nodiscard]] DaemonOptions serving_root(std::vector<std::string> options = {}) const {
        options.insert(options.end(), {"--root", root_});
        return with_options(std::move(options));
    }

    /// A target and header lines as they stand here, byte by byte.
    static std::string request(const std::string& method, const std::string& target,
                               const std::string& headers = "") {
        return method + " " + target + " HTTP/1.1\r\nHost: test\r\n" + headers + "\r\n";
    }
    static RawResponse ask(const Daemon& daemon, const std::string& target,
                           const std::string& headers = "") {
        RawClient client(daemon.address(), timeout);
        client.send(request("GET", target, headers));
        return client.receive();
    }

    const std::filesystem::path root_ = directory_ / "www";
};

}  // namespace handover::test
