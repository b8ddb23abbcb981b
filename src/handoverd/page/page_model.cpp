// SPDX-License-Identifier: MIT
#include "handoverd/page/page_model.h"

#include <algorithm>

namespace handoverd {
namespace {

using nlohmann::json;

const json& field(const json& object, const char* name) {
    static const json nothing;
    if (!object.is_object()) return nothing;
    const auto found = object.find(name);
    return found == object.end() ? nothing : *found;
}

std::string text_in(const json& object, const char* name) {
    const auto& value = field(object, name);
    return value.is_string() ? value.get<std::string>() : std::string();
}

template <typename Number>
std::optional<Number> number_in(const json& object, const char* name) {
    const auto& value = field(object, name);
    if (!value.is_number()) return std::nullopt;
    return value.get<Number>();
}

std::uint64_t count_in(const json& object, const char* name) {
    return number_in<std::uint64_t>(object, name).value_or(0);
}

PageModel::Generation generation_in(const json& object) {
    PageModel::Generation result;
    result.number = count_in(object, "number");
    result.pid = count_in(object, "pid");
    result.version = text_in(object, "version");
    result.role = text_in(object, "role");
    result.by = text_in(object, "by");
    result.from = number_in<std::uint64_t>(object, "from");
    result.started = number_in<std::int64_t>(object, "started_at_ms");
    result.ready = number_in<std::int64_t>(object, "ready_at_ms");
    result.ended = number_in<std::int64_t>(object, "ended_at_ms");
    result.drain_ends = number_in<std::int64_t>(object, "drain_ends_at_ms");
    result.connections = count_in(object, "connections");
    result.account = text_in(object, "account");
    const auto& endings = field(object, "endings");
    result.moved = count_in(endings, "moved");
    if (endings.is_object())
        for (const auto& [name, unused] : endings.items()) {
            const auto times = count_in(endings, name.c_str());
            if (name == "moved" || times == 0) continue;
            auto readable = name;
            std::replace(readable.begin(), readable.end(), '_', ' ');
            result.closed.emplace_back(readable, times);
        }
    return result;
}

PageModel::Handover handover_in(const json& object) {
    PageModel::Handover result;
    result.id = count_in(object, "id");
    result.at = number_in<std::int64_t>(object, "at_ms");
    result.duration = number_in<std::int64_t>(object, "duration_ms");
    result.kind = text_in(object, "kind");
    result.result = text_in(object, "result");
    result.reason = text_in(object, "reason");
    result.from = number_in<std::uint64_t>(object, "from");
    result.to = number_in<std::uint64_t>(object, "to");
    return result;
}

PageModel::Listener listener_in(const json& object) {
    return {text_in(object, "name"), text_in(object, "endpoint"), text_in(object, "source")};
}

/// Of every kind.
std::uint64_t handovers(const json& status, const char* outcome) {
    std::uint64_t sum = 0;
    for (const auto& kind : field(status, "handovers")) sum += count_in(kind, outcome);
    return sum;
}

template <typename Element, typename Read>
std::vector<Element> all(const json& status, const char* name, Read read) {
    std::vector<Element> result;
    for (const auto& object : field(status, name)) result.push_back(read(object));
    return result;
}

}  // namespace

PageModel::PageModel(const json& status)
    : now(number_in<std::int64_t>(status, "now_ms").value_or(0)),
      number(count_in(status, "generation")),
      state(text_in(status, "state")),
      version(text_in(status, "version")),
      build_id(text_in(status, "build_id")),
      requests(number_in<std::uint64_t>(status, "requests")),
      handovers_ok(handovers(status, "ok")),
      handovers_failed(handovers(status, "failed")),
      handovers_rolled_back(handovers(status, "rolled_back")),
      generations(all<Generation>(status, "generations", generation_in)),
      history(all<Handover>(status, "history", handover_in)),
      listeners(all<Listener>(status, "listeners", listener_in)) {}

const PageModel::Generation* PageModel::serving() const {
    const auto found = std::find_if(generations.begin(), generations.end(),
                                    [](const Generation& each) { return each.is_serving(); });
    return found == generations.end() ? nullptr : &*found;
}

}  // namespace handoverd
