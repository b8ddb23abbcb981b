// SPDX-License-Identifier: MIT
#include "handover/generation/drain_deadline.h"

#include "handover/base/text.h"

#include <algorithm>
#include <utility>

namespace handover {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

DrainDeadline::DrainDeadline(EventLoop& loop, Limits limits, DurationHistogram durations,
                             std::function<void()> passed)
    : limits_(limits), durations_(durations), timer_(loop, std::move(passed)) {}

void DrainDeadline::start() {
    if (ends_) return;
    drains_since_ = steady_clock::now();
    ends_ = *drains_since_ + limits_.timeout;
    timer_.start_once(limits_.timeout);
}

bool DrainDeadline::shorten() {
    if (std::exchange(over_quota_, true)) return false;
    const auto now = steady_clock::now();
    const auto last = now + limits_.last_grace;
    ends_ = std::min(ends_.value_or(last), last);
    timer_.start_once(std::chrono::ceil<milliseconds>(*ends_ - now));
    return true;
}

void DrainDeadline::note_drained() {
    if (const auto since = std::exchange(drains_since_, std::nullopt))
        durations_.add(steady_clock::now() - *since);
}

void DrainDeadline::stop() {
    ends_.reset();
    drains_since_.reset();
    timer_.stop();
}

void DrainDeadline::cut(std::size_t connections) {
    note_drained();
    ends_.reset();  // what comes back from a successor gets a deadline of its own
    cut_connections_ = connections;
    if (connections == 0) return;
    why_cut_ = plural(connections, "connection") + " had not finished " +
               (over_quota_ ? "when more than " + plural(limits_.draining_max, "generation") +
                                  " would have been draining"
                            : "within the drain timeout of " + seconds(limits_.timeout));
}

milliseconds DrainDeadline::left() const {
    if (!ends_) return milliseconds(0);
    return std::chrono::duration_cast<milliseconds>(*ends_ - steady_clock::now());
}

}  // namespace handover
