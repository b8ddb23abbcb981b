// SPDX-License-Identifier: MIT
#include "handoverd/client/progress_text.h"

#include "handoverd/client/json_fields.h"
#include "handoverd/client/number_format.h"
#include "handoverd/client/status_screen.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace handoverd {
namespace {

using nlohmann::json;

/// What the generation before has still to do; empty if nothing is known about it.
std::string drain_progress(const json& generation, std::int64_t now_ms) {
    const auto name = fmt::format("generation {} ", number_in(generation, "number").value_or(0));
    const auto held = number_in(generation, "connections").value_or(0);
    const auto role = text_in(generation, "role");
    if (role == "ended" || (role == "draining" && held == 0)) return name + "drained";
    if (role != "draining") return name + role;
    const auto moved = number_in(generation.value("endings", json::object()), "moved").value_or(0);
    auto text =
        fmt::format("{}moved {} of {} connections", name, grouped(moved), grouped(moved + held));
    if (const auto until_ms = number_in(generation, "drain_ends_at_ms"))
        text += fmt::format(", {} left", age_in_words(*until_ms - now_ms));
    return text;
}

std::optional<json> row_of(const json& status, std::int64_t generation) {
    for (const auto& row : generations_in(status))
        if (number_in(row, "number") == generation) return std::optional<json>(std::in_place, row);
    return std::nullopt;
}

/// The last thing that this generation tried; null before it is known.
json last_attempt_of(const json& status, std::int64_t generation) {
    for (const auto& handover : objects_in(status, "history"))
        if (number_in(handover, "from") == generation) return handover;
    return nullptr;
}

std::string asked(const json& status, std::int64_t number, std::int64_t now_ms) {
    const auto attempt = last_attempt_of(status, number);
    const auto since_ms = number_in(attempt, "at_ms");
    if (text_in(attempt, "result") != "running" || !since_ms)
        return fmt::format("generation {} is asked to hand over", number);
    return fmt::format("generation {} starts its successor, {}", number,
                       age_in_words(now_ms - *since_ms));
}

}  // namespace

bool is_settled(const json& status, std::int64_t generation) {
    const auto row = row_of(status, generation);
    if (!row || is_over(*row)) return true;
    if (text_in(*row, "role") == "draining") return number_in(*row, "connections") == 0;
    const auto result = text_in(last_attempt_of(status, generation), "result");
    return result == "failed" || result == "rolled_back";
}

std::string drain_result(const json& status, std::int64_t generation) {
    const auto row = row_of(status, generation);
    if (!row) return "";
    const auto role = text_in(*row, "role");
    const auto account = account_of(*row);
    return fmt::format("generation {} {}{}{}", generation, role == "crashed" ? role : "drained",
                       account.empty() ? "" : ": ", account);
}

std::string progress_text(const json& status, std::int64_t now_ms) {
    const auto all = generations_in(status);
    const auto& newest = all.front();
    const auto number = number_in(newest, "number").value_or(0);
    const auto role = text_in(newest, "role");
    if (role == "starting") {
        auto text = fmt::format("generation {} is starting", number);
        if (const auto since_ms = number_in(newest, "started_at_ms"))
            text += fmt::format(", {}", age_in_words(now_ms - *since_ms));
        return text;
    }
    const auto before = std::find_if(all.begin(), all.end(), [&](const json& generation) {
        return generation.contains("number") && newest.contains("from") &&
               generation["number"] == newest["from"];
    });
    const bool on_probation = role.find("probation") != std::string::npos;
    const bool drains = before != all.end() && text_in(*before, "role") == "draining";
    if (!on_probation && !drains) return asked(status, number, now_ms);
    auto text =
        fmt::format("generation {} is ready{}", number, on_probation ? ", on probation" : "");
    if (before != all.end()) text += "; " + drain_progress(*before, now_ms);
    return text;
}

}  // namespace handoverd
