// SPDX-License-Identifier: MIT
// A configuration file is good, or refused as one, with one line for the operator.
#include "fuzzer.h"
#include "handover/unique_fd.h"
#include "handoverd/options.h"

#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const handover::UniqueFd file(::memfd_create("fuzz", MFD_CLOEXEC));
    require(::write(file.get(), data, size) == static_cast<ssize_t>(size));
    const auto path = "/proc/self/fd/" + std::to_string(file.get());
    const std::array<const char*, 3> arguments{"handoverd", "--config", path.c_str()};
    try {
        const auto options = handoverd::parse_options(arguments.size(), arguments.data());
        if (!options) return 0;
        require(options->draining_max >= 1 && options->threads >= 2);
        require(options->drain_timeout.count() >= 0 && options->probation.count() >= 0);
        require(!options->admin.empty() && !options->log_level.empty());
    } catch (const handoverd::UsageError& error) {
        require(error.exit_status() == EX_CONFIG);
        require(std::string_view(error.what()).find('\n') == std::string_view::npos);
    }
    return 0;
}
