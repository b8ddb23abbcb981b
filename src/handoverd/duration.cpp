// SPDX-License-Identifier: MIT
#include "handoverd/duration.h"

#include <cstdint>
#include <map>

namespace handoverd {

CLI::AsNumberWithUnit duration_in_ms() {
    return CLI::AsNumberWithUnit(
        std::map<std::string, std::uint32_t>{
            {"ms", 1}, {"s", 1000}, {"min", 60 * 1000}, {"h", 3600 * 1000}},
        static_cast<CLI::AsNumberWithUnit::Options>(CLI::AsNumberWithUnit::CASE_SENSITIVE |
                                                    CLI::AsNumberWithUnit::UNIT_REQUIRED),
        "TIME");
}

std::optional<std::chrono::milliseconds> parse_duration(std::string text) {
    try {
        std::uint32_t milliseconds = 0;
        if (!duration_in_ms()(text).empty() || !CLI::detail::lexical_cast(text, milliseconds))
            return std::nullopt;
        return std::chrono::milliseconds(milliseconds);
    } catch (const CLI::Error&) {
        return std::nullopt;
    }
}

}  // namespace handoverd
