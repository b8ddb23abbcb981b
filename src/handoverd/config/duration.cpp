// SPDX-License-Identifier: MIT
#include "handoverd/config/duration.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <system_error>

namespace handoverd {
namespace {

struct Unit {
    std::string_view name;
    std::uint64_t milliseconds;
};
constexpr std::array<Unit, 4> units{Unit{"ms", 1}, Unit{"s", 1000}, Unit{"min", 60'000},
                                    Unit{"h", 3'600'000}};
constexpr std::uint64_t longest_ms = 1193 * units.back().milliseconds;

/// Either is good or says why not.
struct Reading {
    std::uint64_t milliseconds = 0;
    std::string fault;
};

Reading faulty(std::string fault) {
    return {0, std::move(fault)};
}

Reading read(std::string_view text) {
    std::uint64_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error == std::errc::invalid_argument) return faulty("not a time, write it as 20s or 500ms");
    const auto digits = std::string(text.data(), rest);
    auto name = text.substr(digits.size());
    name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
    if (name.empty())
        return faulty("a time without a unit, write " + digits + "s or " + digits + "ms");
    const auto unit = std::find_if(units.begin(), units.end(),
                                   [name](const Unit& one) { return one.name == name; });
    if (unit == units.end())
        return faulty("not a time, write it as 20s or 500ms: the units are ms, s, min and h");
    if (error != std::errc() || number > longest_ms / unit->milliseconds)
        return faulty("too long a time, write 1193h at most");
    return {number * unit->milliseconds, {}};
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    const auto reading = read(text);
    if (!reading.fault.empty()) return std::nullopt;
    return std::chrono::milliseconds(reading.milliseconds);
}

std::string duration_text(std::chrono::milliseconds duration) {
    constexpr std::int64_t second = 1000;
    const auto count = duration.count();
    return count % second == 0 ? std::to_string(count / second) + "s"
                               : std::to_string(count) + "ms";
}

std::string fault_of_duration(std::string_view text) {
    return read(text).fault;
}

}  // namespace handoverd
