// SPDX-License-Identifier: MIT
#include "handoverd/admin/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace handoverd {
namespace {

using handover::DurationHistogram;
using handover::Generation;
using handover::HandoverKind;
using handover::http::Server;
using handover::http::ServerCounters;
using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Families = std::vector<MetricFamily>;
using Label = ClientMetric::Label;

/// Not a prometheus::Registry: its counters begin at zero in each process, and ours go on.
MetricFamily family(MetricType type, std::string name, std::string help) {
    MetricFamily result;
    result.name = std::move(name);
    result.help = std::move(help);
    result.type = type;
    return result;
}

ClientMetric labelled(std::vector<Label> labels) {
    ClientMetric metric;
    metric.label = std::move(labels);
    return metric;
}

template <typename Number>
ClientMetric counter(Number value, std::vector<Label> labels = {}) {
    auto metric = labelled(std::move(labels));
    metric.counter.value = static_cast<double>(value);
    return metric;
}

template <typename Number>
ClientMetric gauge(Number value, std::vector<Label> labels = {}) {
    auto metric = labelled(std::move(labels));
    metric.gauge.value = static_cast<double>(value);
    return metric;
}

double in_seconds(std::chrono::nanoseconds duration) {
    return std::chrono::duration<double>(duration).count();
}

ClientMetric histogram(const DurationHistogram& durations, std::vector<Label> labels = {}) {
    auto metric = labelled(std::move(labels));
    auto& result = metric.histogram;
    for (std::size_t i = 0; i < DurationHistogram::buckets; ++i) {
        result.sample_count += durations.count(i);
        const bool is_last = i == DurationHistogram::bounds.size();
        result.bucket.push_back(
            {result.sample_count, is_last ? std::numeric_limits<double>::infinity()
                                          : in_seconds(DurationHistogram::bounds[i])});
    }
    result.sample_sum = in_seconds(durations.sum());
    return metric;
}

Label label(std::string name, std::string_view value) {
    return {std::move(name), std::string(value)};
}

void add_handovers(Families& families, const Generation& generation) {
    const auto counters = generation.handover_counters();
    auto& handovers = families.emplace_back(family(
        MetricType::Counter, "handover_handovers_total",
        "Generations that took over, or failed to, by what became of it. A reload is counted when "
        "its probation is over."));
    for (const auto kind : handover::all_handover_kinds)
        for (const auto outcome : handover::all_handover_outcomes) {
            // Of a start from the fd store that fails nobody hears.
            if (kind != HandoverKind::reload && outcome != handover::HandoverOutcome::ok) continue;
            handovers.metric.push_back(
                counter(counters.count_of(kind, outcome),
                        {label("kind", to_string(kind)), label("result", to_string(outcome))}));
        }
    auto& took = families.emplace_back(
        family(MetricType::Histogram, "handover_handover_duration_seconds",
               "From the request of a reload to the moment in which the successor accepts; in a "
               "restart, the time in which nobody accepted."));
    took.metric.push_back(histogram(counters.reloads(), {label("kind", "reload")}));
    took.metric.push_back(histogram(counters.restarts(), {label("kind", "restart")}));
    auto& drains = families.emplace_back(
        family(MetricType::Histogram, "handover_drain_duration_seconds",
               "From the stop of accepting to the end of the last connection of a generation."));
    drains.metric.push_back(histogram(counters.drains()));
}

/// Of the generations that have handed over to this one, in all.
std::uint64_t still_held_by_others(const Generation& generation) {
    std::uint64_t held = 0;
    for (const auto& other : generation.history().generations)
        if (other.role == handover::Role::draining) held += other.counts.open();
    return held;
}

void add_connections(Families& families, const Generation& generation, const Server& site) {
    const auto now = site.connection_states();
    families
        .emplace_back(
            family(MetricType::Gauge, "handover_connections",
                   "Connections of the generation that answers, by what they do, and those of "
                   "generations that drain."))
        .metric = {gauge(now.idle, {label("state", "idle")}),
                   gauge(now.receiving, {label("state", "receiving")}),
                   gauge(now.active, {label("state", "active")}),
                   gauge(now.lingering, {label("state", "lingering")}),
                   gauge(still_held_by_others(generation), {label("state", "draining")})};
    const auto& counters = site.counters();
    families
        .emplace_back(family(MetricType::Counter, "handover_connections_opened_total",
                             "Connections accepted, or adopted from another generation."))
        .metric = {counter(counters.opened_count())};
    auto& ended = families.emplace_back(
        family(MetricType::Counter, "handover_connections_total",
               "Connections that left a generation: moved to the next one, or closed, and why."));
    for (const auto ending : handover::all_close_reasons)
        ended.metric.push_back(
            counter(counters.ended_count(ending), {label("ending", to_string(ending))}));
}

void add_requests(Families& families, const ServerCounters& counters) {
    auto& requests = families.emplace_back(
        family(MetricType::Counter, "handover_requests_total", "Requests, by status code."));
    for (int status = ServerCounters::first_status; status <= ServerCounters::last_status; ++status)
        // The usual one is there from the beginning, so that a rate can be told from nothing.
        if (const auto count = counters.answered_count(status); count != 0 || status == 200)
            requests.metric.push_back(counter(count, {label("code", std::to_string(status))}));
    families
        .emplace_back(family(MetricType::Histogram, "handover_request_duration_seconds",
                             "From when all of a request's head was there to the end of its "
                             "response. Without those that were refused."))
        .metric = {histogram(counters.durations())};
}

void add_generation(Families& families, const Generation& generation) {
    const auto now = generation.status();
    families
        .emplace_back(family(MetricType::Gauge, "handover_generation",
                             "Number of the generation that answers."))
        .metric = {gauge(now.generation)};
    families
        .emplace_back(family(MetricType::Gauge, "handover_fd_store_entries",
                             "Descriptors that the service keeps in systemd's fd store."))
        .metric = {gauge(now.fd_store_entries)};
    families
        .emplace_back(
            family(MetricType::Gauge, "handover_build_info", "Always 1; the labels tell."))
        .metric = {gauge(1, {label("build_id", now.build_id), label("version", now.version)})};
}

std::string metrics(const Generation& generation, const Server& site) {
    Families families;
    add_generation(families, generation);
    add_handovers(families, generation);
    add_connections(families, generation, site);
    add_requests(families, site.counters());
    return prometheus::TextSerializer().Serialize(families);
}

}  // namespace

void count_requests(Server& site, const Generation& generation) {
    site.count_in(ServerCounters(generation.program_counters().first<ServerCounters::size>()));
}

void add_metrics_route(Server& server, const Generation& generation, const Server& site) {
    server.Get("/metrics", [&](const httplib::Request&, httplib::Response& response) {
        response.set_content(metrics(generation, site), "text/plain; version=0.0.4; charset=utf-8");
    });
}

}  // namespace handoverd
