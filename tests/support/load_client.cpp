// SPDX-License-Identifier: MIT
#include "support/load_client.h"

#include <sys/prctl.h>

#include <algorithm>
#include <utility>

namespace handover::test {
namespace {

constexpr auto connect_pause = std::chrono::milliseconds(10);

}  // namespace

LoadClient::LoadClient(LoadOptions options)
    : options_(std::move(options)),
      connections_(static_cast<const ClientOptions&>(options_), {.keep_alive = options_.keep_alive},
                   {.on_sent = [this] { sent(); },
                    .on_finished = [this](const auto& connection,
                                          Outcome outcome) { finished(connection, outcome); }}) {
    for (std::size_t i = 0; i < connections_.size(); ++i) free_.push_back(i);
}

void LoadClient::stop() {
    if (!stopped_) stopped_ = Clock::now();
}

void LoadClient::run() {
    ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);  // the default lets a timer be 50 us late
    start_ = Clock::now();
    connections_.recorder().start();
    while (true) {
        if (begun_ >= options_.max_requests || Clock::now() - start_ >= options_.duration) stop();
        if (stopped_ && connections_.busy() == 0) return;
        if (!stopped_) start_due_requests();
        connections_.expire(stopped_ && Clock::now() - *stopped_ > options_.drain);
        connections_.handle_events(until_next_due());
    }
}

LoadClient::Clock::time_point LoadClient::next_due() const {
    if (options_.rate <= 0) return paused_until_;
    const std::chrono::duration<double> offset(static_cast<double>(begun_) / options_.rate);
    return start_ + std::chrono::duration_cast<Clock::duration>(offset);
}

LoadClient::Clock::duration LoadClient::until_next_due() const {
    const Clock::duration at_most = ClientConnections::expire_every;
    if (stopped_ || free_.empty()) return at_most;
    return std::min(at_most, next_due() - Clock::now());
}

void LoadClient::start_due_requests() {
    // Those that are free now, once each: one that fails at once comes back into the queue.
    for (std::size_t candidates = free_.size(); candidates > 0; --candidates) {
        const auto now = Clock::now();
        const auto due = next_due();
        if (due > now || begun_ >= options_.max_requests) return;
        const std::size_t index = free_.front();
        free_.pop_front();
        ++begun_;
        connections_.start(index, options_.rate > 0 ? due : now);
    }
}

void LoadClient::sent() {
    if (++sent_ == options_.max_requests && on_all_sent_) on_all_sent_();
}

void LoadClient::finished(const ClientConnections::Connection& connection, Outcome outcome) {
    if (outcome == Outcome::refused || outcome == Outcome::connect_failed)
        paused_until_ = Clock::now() + connect_pause;
    free_.push_back(connections_.index_of(connection));
    if (outcome == Outcome::answered && on_answer_) on_answer_();
}

}  // namespace handover::test
