// SPDX-License-Identifier: MIT
#include "handoverd/client/status_screen.h"

#include "handover/connection_counts.h"
#include "handoverd/client/json_fields.h"
#include "handoverd/client/number_format.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace handoverd {
namespace {

using nlohmann::json;
using Side = TextTable::Column::Side;

// With two listeners and nothing gone wrong, these fill a screen of 24 lines.
constexpr std::size_t ended_generations_shown = 3;
constexpr std::size_t handovers_shown = 5;

std::string count_in(const json& object, const char* field) {
    const auto count = number_in(object, field);
    return count ? grouped(*count) : "-";
}

std::string number_text(const json& object, const char* field) {
    const auto number = number_in(object, field);
    return number ? std::to_string(*number) : "-";
}

std::string age_of(const json& object, const char* field, std::int64_t now_ms) {
    const auto at_ms = number_in(object, field);
    return at_ms ? age_in_words(now_ms - *at_ms) : "-";
}

std::string in_words(std::string name) {
    std::replace(name.begin(), name.end(), '_', ' ');
    return name;
}

// ---- the head

std::string head(const json& status, const OutputStyle& output) {
    auto who = fmt::format("generation {} (pid {})", number_text(status, "generation"),
                           number_text(status, "pid"));
    if (const auto state = text_in(status, "state"); !state.empty()) who += ", " + state;
    auto what = "handoverd " + text_in(status, "version");
    if (const auto build = text_in(status, "build_id"); !build.empty())
        what += " (build " + build.substr(0, 12) + ")";
    if (const auto entries = number_in(status, "fd_store_entries").value_or(0); entries != 0)
        what += ", " + count_in_words(entries, "descriptor") + " in the fd store";
    return Cell{who, Style::heading}.in(output) + "\n" + Cell{what, Style::faint}.in(output) + "\n";
}

// ---- generations

bool is_leaving(const json& generation) {
    const auto role = text_in(generation, "role");
    return is_over(generation) || role == "draining" || role == "stopping" || role == "restarting";
}

Cell role_of(const json& generation, std::int64_t now_ms) {
    const auto role = text_in(generation, "role");
    if (is_over(generation))
        return {role + " " + age_of(generation, "ended_at_ms", now_ms) + " ago",
                role == "crashed" ? Style::bad : Style::faint};
    if (role.starts_with("serving")) return {role, Style::good};
    const auto until_ms = number_in(generation, "drain_ends_at_ms");
    if (!until_ms) return {role, Style::busy};
    return {role + ", " + age_in_words(*until_ms - now_ms) + " left", Style::busy};
}

/// What the generation that answers got from the one before it, or nothing.
std::string imports_in(const json& status) {
    const auto found = status.find("arrivals");
    if (found == status.end() || !found->is_object()) return "";
    auto sentence =
        fmt::format("took over {} of generation {} by {}",
                    count_in_words(number_in(*found, "adopted").value_or(0), "connection"),
                    number_text(*found, "from"), text_in(*found, "by"));
    if (const auto unclaimed = number_in(*found, "unclaimed").value_or(0); unclaimed != 0)
        sentence += fmt::format(", {} closed as their listener is not configured any more",
                                grouped(unclaimed));
    if (const auto unreadable = number_in(*found, "unreadable").value_or(0); unreadable != 0)
        sentence += fmt::format(", {} messages could not be read", grouped(unreadable));
    return sentence;
}

/// An older release has no list of generations, but its answer tells about the one before.
std::string account_of_predecessor(const json& status) {
    const auto imported = status.find("arrivals");
    if (imported == status.end() || !imported->is_object() || status.contains("generations"))
        return "";
    const auto account = text_in(*imported, "account");
    return fmt::format("generation {} {}", number_text(*imported, "from"),
                       account.empty() ? "still drains, or ended without a word" : account);
}

void add_generation(TextTable& table, const json& generation, const json& status,
                    std::int64_t now_ms) {
    const auto style = is_over(generation) ? Style::faint : Style::plain;
    table.add_row({{number_text(generation, "number"), style},
                   {number_text(generation, "pid"), style},
                   {text_in(generation, "version"), style},
                   role_of(generation, now_ms),
                   {age_of(generation, "started_at_ms", now_ms), style},
                   {is_over(generation) ? "-" : count_in(generation, "connections"), style}});
    if (number_in(generation, "number") == number_in(status, "generation"))
        for (const auto& note : {imports_in(status), account_of_predecessor(status)})
            if (!note.empty()) table.add_note({note, Style::faint});
    if (const auto account = account_of(generation); is_leaving(generation) && !account.empty())
        table.add_note({account, Style::faint});
}

std::string generations(const json& status, const OutputStyle& output, std::int64_t now_ms) {
    TextTable table({{"GENERATION", Side::right},
                     {"PID", Side::right},
                     {"VERSION", Side::left, true},
                     {"ROLE"},
                     {"AGE", Side::right},
                     {"CONNECTIONS", Side::right}});
    std::size_t over = 0;
    for (const auto& generation : generations_in(status))
        if (!is_over(generation) || ++over <= ended_generations_shown)
            add_generation(table, generation, status, now_ms);
    return "\n" + table.in(output);
}

// ---- listeners

/// An older release does not say from whom a listener was inherited.
std::string source_of(const json& listener) {
    if (auto source = text_in(listener, "source"); !source.empty()) return source;
    const auto inherited = listener.find("inherited");
    return inherited != listener.end() && *inherited == true ? "inherited" : "bound";
}

std::string listeners(const json& status, const OutputStyle& output) {
    const auto all = objects_in(status, "listeners");
    if (all.empty()) return "";
    TextTable table({{"LISTENER"}, {"ADDRESS", Side::left, true}, {"FROM"}});
    for (const auto& listener : all)
        table.add_row(
            {{text_in(listener, "name")}, {text_in(listener, "endpoint")}, {source_of(listener)}});
    return "\n" + table.in(output);
}

// ---- handovers

Style style_of(const std::string& result) {
    if (result == "ok") return Style::good;
    return result == "running" ? Style::busy : Style::bad;
}

void add_handover(TextTable& table, const json& handover, std::int64_t now_ms) {
    const auto result = text_in(handover, "result");
    const auto duration_ms = number_in(handover, "duration_ms");
    table.add_row({{number_text(handover, "from") + " -> " + number_text(handover, "to")},
                   {text_in(handover, "kind")},
                   {in_words(result), style_of(result)},
                   {duration_ms ? duration_in_words(*duration_ms) : "-"},
                   {age_of(handover, "at_ms", now_ms) + " ago"}});
    if (const auto reason = text_in(handover, "reason"); !reason.empty())
        table.add_note({reason, style_of(result) == Style::bad ? Style::bad : Style::plain});
}

std::string handovers(const json& status, const OutputStyle& output, std::int64_t now_ms) {
    if (!status.contains("history")) {
        const auto last = text_in(status, "last_handover");
        return "\n" +
               Cell{"last reload: " + (last.empty() ? "none by this generation" : last)}.in(
                   output) +
               "\n";
    }
    auto all = objects_in(status, "history");
    if (all.empty()) return "";
    all.resize(std::min(all.size(), handovers_shown));
    TextTable table(
        {{"HANDOVER"}, {"KIND"}, {"RESULT"}, {"TOOK", Side::right}, {"WHEN", Side::right}});
    for (const auto& handover : all) add_handover(table, handover, now_ms);
    return "\n" + table.in(output);
}

}  // namespace

std::int64_t now_of(const json& status) {
    using std::chrono::milliseconds;
    using std::chrono::system_clock;
    const auto ours =
        std::chrono::duration_cast<milliseconds>(system_clock::now().time_since_epoch());
    return number_in(status, "now_ms").value_or(ours.count());
}

std::vector<json> generations_in(const json& status) {
    if (auto all = objects_in(status, "generations"); !all.empty()) return all;
    json only = {{"number", status.value("generation", json())},
                 {"pid", status.value("pid", json())},
                 {"version", status.value("version", json())},
                 {"role", status.value("state", json())},
                 {"connections", status.value("connections", json())}};
    return {std::move(only)};
}

bool is_over(const json& generation) {
    const auto role = text_in(generation, "role");
    return role == "ended" || role == "crashed";
}

std::string account_of(const json& generation) {
    if (auto account = text_in(generation, "account"); !account.empty()) return account;
    const auto opened = number_in(generation, "opened");
    const auto endings = generation.value("endings", json());
    if (!opened || is_over(generation)) return "";
    handover::ConnectionCounts counts;
    counts.opened = static_cast<std::uint64_t>(std::max<std::int64_t>(*opened, 0));
    for (const auto ending : handover::all_close_reasons) {
        const auto count = number_in(endings, std::string(handover::to_string(ending)).c_str());
        counts[ending] = static_cast<std::uint64_t>(std::max<std::int64_t>(count.value_or(0), 0));
    }
    return counts.open() <= counts.opened ? counts.to_sentence() : "";
}

std::string status_screen(const json& status, const OutputStyle& output, std::int64_t now_ms) {
    return head(status, output) + generations(status, output, now_ms) + listeners(status, output) +
           handovers(status, output, now_ms);
}

}  // namespace handoverd
