// SPDX-License-Identifier: MIT
#include "handoverd/config/check.h"

#include "handover/printable.h"

#include <spdlog/fmt/fmt.h>

#include <cstdio>
#include <string>

namespace handoverd {
namespace {

std::string place_of(const Setting& setting, const Setting::Value& value,
                     const ConfigurationFile& file) {
    switch (setting.from) {
        case Setting::From::standard:
            return "default";
        case Setting::From::file:
            return file.place(value.line);
        case Setting::From::command_line:
            return "command line";
    }
    __builtin_unreachable();
}

void print(const Setting& setting, const ConfigurationFile& file) {
    constexpr auto* columns = "{:<32}  # {}\n";
    if (setting.values.empty()) fmt::print(columns, "#" + setting.name + "=", "not set");
    for (const auto& value : setting.values)
        fmt::print(columns,
                   handover::printable(ConfigurationFile::to_line(setting.name, value.text)),
                   handover::printable(place_of(setting, value, file)));
}

}  // namespace

int check(const Options& options) {
    if (!options.print) {
        std::puts("the configuration is valid");
        return 0;
    }
    for (const auto& setting : options.settings) print(setting, options.file);
    return 0;
}

}  // namespace handoverd
