// SPDX-License-Identifier: MIT
#include "handoverd/admin/status_json.h"

#include <chrono>
#include <cstdint>
#include <optional>

namespace handoverd {
namespace {

using handover::Role;
using nlohmann::json;
using std::chrono::milliseconds;
using Time = std::chrono::system_clock::time_point;

std::int64_t in_ms(Time time) {
    return std::chrono::duration_cast<milliseconds>(time.time_since_epoch()).count();
}

json in_ms(const std::optional<Time>& time) {
    return time ? json(in_ms(*time)) : json(nullptr);
}

/// 0 stands for no generation.
json number_or_null(std::uint64_t generation) {
    return generation != 0 ? json(generation) : json(nullptr);
}

template <typename Enum>
std::string text(Enum value) {
    return std::string(to_string(value));
}

json reasons_of(const handover::ConnectionCounts& counts) {
    json result;
    for (const auto ending : handover::all_close_reasons) result[text(ending)] = counts[ending];
    return result;
}

json as_json(const handover::ImportedConnections& imported) {
    if (imported.how.empty()) return nullptr;
    json ended = nullptr;
    if (imported.ended) {
        ended = reasons_of(*imported.ended);
        ended["held"] = imported.ended->opened;
    }
    json result = {{"from", imported.from},
                   {"by", imported.how},
                   {"adopted", imported.adopted},
                   {"unclaimed", imported.unclaimed},
                   {"unreadable", imported.unreadable},
                   {"predecessor", ended}};
    if (imported.ended) result["account"] = imported.ended->to_sentence();
    return result;
}

json as_json(const handover::HandoverCounters& counters) {
    json result;
    for (const auto kind : handover::all_handover_kinds)
        for (const auto outcome : handover::all_handover_outcomes)
            result[text(kind)][text(outcome)] = counters.count_of(kind, outcome);
    return result;
}

json as_json(const handover::GenerationRecord& record) {
    const bool is_gone = record.role == Role::ended || record.role == Role::crashed;
    return {{"number", record.number},
            {"pid", record.pid},
            {"version", record.version},
            {"role", text(record.role)},
            {"state", record.state},
            {"started_at_ms", in_ms(record.started_at)},
            {"ready_at_ms", in_ms(record.ready_at)},
            {"ended_at_ms", in_ms(record.ended_at)},
            {"drain_ends_at_ms", in_ms(record.drain_ends_at)},
            {"from", number_or_null(record.from)},
            {"by", text(record.cause)},
            {"connections", is_gone ? 0 : record.counts.open()},
            {"opened", record.counts.opened},
            {"endings", reasons_of(record.counts)},
            {"account", record.final_account ? json(record.final_account->to_sentence()) : json()}};
}

json as_json(const handover::HandoverRecord& record) {
    return {{"id", record.id},
            {"at_ms", in_ms(record.at)},
            {"kind", text(record.cause)},
            {"result", record.outcome ? text(*record.outcome) : "running"},
            {"from", number_or_null(record.from)},
            {"to", number_or_null(record.to)},
            {"duration_ms", record.duration ? json(record.duration->count()) : json()},
            {"reason", record.reason}};
}

json as_json(const handover::GenerationStatus::ListenerStatus& listener) {
    return {{"name", listener.name},
            {"endpoint", listener.endpoint},
            {"inherited", listener.inherited},
            {"source", listener.source}};
}

template <typename Record>
json all_as_json(const std::vector<Record>& records) {
    json result = json::array();
    for (const auto& record : records) result.push_back(as_json(record));
    return result;
}

}  // namespace

json status_json(const handover::Generation& generation) {
    const auto now = generation.status();
    const auto history = generation.history();
    return {{"now_ms", in_ms(std::chrono::system_clock::now())},
            {"generation", now.generation},
            {"pid", now.pid},
            {"state", now.state},
            {"ready", now.ready},
            {"version", now.version},
            {"build_id", now.build_id},
            {"connections", now.connections},
            {"fd_store_entries", now.fd_store_entries},
            {"handovers", as_json(generation.handover_counters())},
            {"listeners", all_as_json(now.listeners)},
            {"arrivals", as_json(now.imported)},
            {"last_handover", now.last_handover},
            {"generations", all_as_json(history.generations)},
            {"history", all_as_json(history.handovers)}};
}

json as_json(const handover::ServiceEvent& event) {
    return {{"id", event.id},   {"at_ms", in_ms(event.at)}, {"generation", event.generation},
            {"pid", event.pid}, {"what", text(event.type)}, {"text", event.text}};
}

std::string one_line(const json& json) {
    constexpr int on_one_line = -1;
    return json.dump(on_one_line, ' ', /*ensure_ascii=*/false, json::error_handler_t::replace);
}

}  // namespace handoverd
