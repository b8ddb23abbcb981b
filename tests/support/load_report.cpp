// SPDX-License-Identifier: MIT
#include "support/load_report.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <ostream>

namespace handover::test {

std::string_view name_of(Outcome outcome) noexcept {
    switch (outcome) {
        case Outcome::answered:
            return "answered";
        case Outcome::answered_otherwise:
            return "answered_otherwise";
        case Outcome::refused:
            return "refused";
        case Outcome::connect_failed:
            return "connect_failed";
        case Outcome::reset:
            return "reset";
        case Outcome::closed:
            return "closed";
        case Outcome::partial:
            return "partial";
        case Outcome::malformed:
            return "malformed";
        case Outcome::timed_out:
            return "timed_out";
    }
    return "unknown";
}

void LoadReport::set_latencies(std::vector<std::uint32_t> latencies) {
    std::sort(latencies.begin(), latencies.end());
    const auto quantile = [&](double share) {
        if (latencies.empty()) return 0.0;
        const auto rank =
            static_cast<std::size_t>(std::ceil(share * static_cast<double>(latencies.size())));
        return static_cast<double>(latencies[std::max<std::size_t>(rank, 1) - 1]) / 1000.0;
    };
    p50_ms = quantile(0.5);
    p99_ms = quantile(0.99);
    p999_ms = quantile(0.999);
    max_ms = quantile(1.0);
}

std::int64_t LoadReport::count(Outcome outcome) const {
    const auto found = outcomes.find(std::string(name_of(outcome)));
    return found == outcomes.end() ? 0 : found->second;
}

std::int64_t LoadReport::last_generation() const {
    std::int64_t last = 0;
    for (const auto& [generation, answers] : generations)
        last = std::max<std::int64_t>(last, std::stoll(generation));
    return last;
}

void to_json(nlohmann::json& json, const Incident& incident) {
    json = {{"at_ms", incident.at_ms}, {"outcome", incident.outcome}, {"detail", incident.detail}};
}

void from_json(const nlohmann::json& json, Incident& incident) {
    json.at("at_ms").get_to(incident.at_ms);
    json.at("outcome").get_to(incident.outcome);
    json.at("detail").get_to(incident.detail);
}

void to_json(nlohmann::json& json, const LoadReport& report) {
    json = {{"requests", report.requests},
            {"outcomes", report.outcomes},
            {"lost_on_fresh_connection", report.lost_on_fresh_connection},
            {"connections",
             {{"opened", report.connections_opened},
              {"reconnects", report.reconnects},
              {"closed_while_idle", report.closed_while_idle},
              {"announced_closes", report.announced_closes}}},
            {"latency_ms",
             {{"p50", report.p50_ms},
              {"p99", report.p99_ms},
              {"p99.9", report.p999_ms},
              {"max", report.max_ms}}},
            {"longest_gap_ms", report.longest_gap_ms},
            {"generations", report.generations},
            {"pids", report.pids},
            {"examples", report.examples}};
}

void from_json(const nlohmann::json& json, LoadReport& report) {
    json.at("requests").get_to(report.requests);
    json.at("outcomes").get_to(report.outcomes);
    json.at("lost_on_fresh_connection").get_to(report.lost_on_fresh_connection);
    const auto& connections = json.at("connections");
    connections.at("opened").get_to(report.connections_opened);
    connections.at("reconnects").get_to(report.reconnects);
    connections.at("closed_while_idle").get_to(report.closed_while_idle);
    connections.at("announced_closes").get_to(report.announced_closes);
    const auto& latency = json.at("latency_ms");
    latency.at("p50").get_to(report.p50_ms);
    latency.at("p99").get_to(report.p99_ms);
    latency.at("p99.9").get_to(report.p999_ms);
    latency.at("max").get_to(report.max_ms);
    json.at("longest_gap_ms").get_to(report.longest_gap_ms);
    json.at("generations").get_to(report.generations);
    json.at("pids").get_to(report.pids);
    json.at("examples").get_to(report.examples);
}

std::ostream& operator<<(std::ostream& out, const LoadReport& report) {
    out << report.requests << " requests:";
    for (const auto& [name, count] : report.outcomes) out << ' ' << count << ' ' << name;
    out << "; connections: " << report.connections_opened << " opened, " << report.reconnects
        << " reconnects, " << report.closed_while_idle << " closed while idle, "
        << report.announced_closes << " closes announced; p50 " << report.p50_ms << " ms, max "
        << report.max_ms << " ms, longest gap " << report.longest_gap_ms << " ms; generations";
    for (const auto& [generation, answers] : report.generations)
        out << ' ' << generation << ':' << answers;
    for (const auto& example : report.examples)
        out << "\n  at " << example.at_ms << " ms: " << example.outcome << ": " << example.detail;
    return out;
}

}  // namespace handover::test
