// SPDX-License-Identifier: MIT
#include "handoverd/client/number_format.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace handoverd {
namespace {

constexpr std::int64_t second = 1000;
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;

struct Unit {
    std::int64_t ms;
    const char* name;
};

std::string in_two_units(std::int64_t ms, Unit large, Unit small) {
    const auto rest = ms % large.ms / small.ms;
    if (rest == 0) return fmt::format("{} {}", ms / large.ms, large.name);
    return fmt::format("{} {} {} {}", ms / large.ms, large.name, rest, small.name);
}

}  // namespace

std::string grouped(std::int64_t number) {
    const auto digits = std::to_string(number);
    constexpr std::size_t group = 3;
    std::string text;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        const bool after_digit = i > 0 && digits[i - 1] != '-';
        if (after_digit && (digits.size() - i) % group == 0) text += ',';
        text += digits[i];
    }
    return text;
}

std::string count_in_words(std::int64_t count, const std::string& noun) {
    return grouped(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string duration_in_words(std::int64_t ms) {
    ms = std::max<std::int64_t>(ms, 0);
    if (ms < second) return fmt::format("{} ms", ms);
    if (ms < 10 * second) return fmt::format("{}.{} s", ms / second, ms % second / 100);
    if (ms < minute) return fmt::format("{} s", ms / second);
    if (ms < hour) return in_two_units(ms, {minute, "min"}, {second, "s"});
    if (ms < day) return in_two_units(ms, {hour, "h"}, {minute, "min"});
    return in_two_units(ms, {day, "d"}, {hour, "h"});
}

std::string age_in_words(std::int64_t ms) {
    ms = std::max<std::int64_t>(ms, 0);
    if (ms < minute) return fmt::format("{} s", ms / second);
    if (ms < hour) return fmt::format("{} min", ms / minute);
    if (ms < 2 * day) return fmt::format("{} h", ms / hour);
    return fmt::format("{} d", ms / day);
}

}  // namespace handoverd
