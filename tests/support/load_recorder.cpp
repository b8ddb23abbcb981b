// SPDX-License-Identifier: MIT
#include "support/load_recorder.h"

#include <algorithm>
#include <utility>

namespace handover::test {
namespace {

constexpr int examples_of_each_kind = 5;

/// It had a connection and got no complete answer there.
bool is_lost(Outcome outcome) {
    return outcome != Outcome::answered_otherwise && outcome != Outcome::refused &&
           outcome != Outcome::connect_failed;
}

}  // namespace

void LoadRecorder::closed_while_idle(const std::string& detail) {
    ++report_.closed_while_idle;
    note("closed_while_idle", detail);
}

void LoadRecorder::answered(Clock::duration latency, const std::optional<std::string>& generation,
                            const std::optional<std::string>& pid) {
    using Milliseconds = std::chrono::duration<double, std::milli>;
    count(Outcome::answered);
    latencies_us_.push_back(static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(latency).count()));
    if (generation) ++report_.generations[*generation];
    if (pid) ++report_.pids[*pid];
    const auto now = Clock::now();
    if (last_answer_)
        report_.longest_gap_ms =
            std::max(report_.longest_gap_ms, Milliseconds(now - *last_answer_).count());
    last_answer_ = now;
}

void LoadRecorder::failed(Outcome outcome, bool fresh, const std::string& detail) {
    count(outcome);
    if (fresh && is_lost(outcome)) ++report_.lost_on_fresh_connection;
    note(name_of(outcome), detail);
}

void LoadRecorder::count(Outcome outcome) {
    ++report_.requests;
    ++report_.outcomes[std::string(name_of(outcome))];
}

void LoadRecorder::note(std::string_view kind, const std::string& detail) {
    const auto same = std::count_if(report_.examples.begin(), report_.examples.end(),
                                    [&](const Incident& seen) { return seen.outcome == kind; });
    if (same >= examples_of_each_kind) return;
    const auto at = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began_);
    report_.examples.push_back({at.count(), std::string(kind), detail});
}

LoadReport LoadRecorder::report() const {
    LoadReport result = report_;
    result.set_latencies(latencies_us_);
    return result;
}

LoadReport LoadRecorder::counts() const {
    LoadReport result;
    result.outcomes = report_.outcomes;
    result.requests = report_.requests;
    result.lost_on_fresh_connection = report_.lost_on_fresh_connection;
    result.connections_opened = report_.connections_opened;
    result.reconnects = report_.reconnects;
    result.closed_while_idle = report_.closed_while_idle;
    result.announced_closes = report_.announced_closes;
    result.examples = report_.examples;
    return result;
}

LoadReport LoadRecorder::take() {
    report_.set_latencies(std::exchange(latencies_us_, {}));
    last_answer_.reset();
    start();
    return std::exchange(report_, {});
}

}  // namespace handover::test
