// SPDX-License-Identifier: MIT
// A configuration file is good, or refused with lines for the operator that name it. What is good
// can be written down again.
#include "fuzzer.h"
#include "handover/unique_fd.h"
#include "handoverd/config/options.h"

#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include <array>
#include <string>

namespace {

void expect_to_read_the_same(const handoverd::ConfigurationFile& file) {
    std::string text;
    for (const auto& item : file.items)
        text += handoverd::ConfigurationFile::to_line(item.name, item.value) + "  # again\n";
    const auto again = handoverd::ConfigurationFile::parse(file.path, text);
    require(again.faults.empty() && again.items.size() == file.items.size());
    for (std::size_t i = 0; i < file.items.size(); ++i) {
        require(again.items[i].name == file.items[i].name);
        require(again.items[i].value == file.items[i].value);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const handover::UniqueFd file(::memfd_create("fuzz", MFD_CLOEXEC));
    require(::write(file.get(), data, size) == static_cast<ssize_t>(size));
    const auto path = "/proc/self/fd/" + std::to_string(file.get());
    const std::array<const char*, 3> arguments{"handoverd", "--config", path.c_str()};
    try {
        const auto options = handoverd::parse_options(arguments.size(), arguments.data(), "0");
        if (!options) return 0;
        require(options->generation.draining_max >= 1 && options->http.threads_max >= 2);
        require(options->generation.drain_timeout.count() >= 0 &&
                options->generation.probation.count() >= 0);
        require(!options->admin.empty() && !options->log_level.empty());
        expect_to_read_the_same(options->file);
    } catch (const handoverd::UsageError& error) {
        require(error.exit_status() == EX_CONFIG);
        require(!error.faults().empty());
        for (const auto& fault : error.faults()) {
            require(fault.find('\n') == std::string::npos && fault.size() < 1000);
            require(fault.starts_with(path) || fault.starts_with("and "));
        }
    }
    return 0;
}
