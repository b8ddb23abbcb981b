// SPDX-License-Identifier: MIT
#include "handover/generation/generation_recorder.h"

#include "handover/ledger/ledger_format.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

namespace handover {
namespace {

using lifecycle::Event;
using lifecycle::State;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;
using What = ServiceEvent::Type;

template <typename Enum>
constexpr std::uint64_t number_of(Enum value) {
    return static_cast<std::uint64_t>(value);
}

std::int64_t now_ms() {
    return ms_of(system_clock::now());
}

std::int64_t wall_clock_ms(steady_clock::time_point time) {
    return now_ms() + std::chrono::duration_cast<milliseconds>(time - steady_clock::now()).count();
}

/// Of one that nobody has started but a service manager, or a user.
Cause cause_of_start(const Ledger& ledger) {
    if (ledger.last_generation() == 0) return Cause::start;
    switch (ledger.last_end().kind) {
        case Ledger::End::Kind::stop:
            return Cause::start;
        case Ledger::End::Kind::restart:
            return Cause::restart;
        case Ledger::End::Kind::crash:
            return Cause::crash;
    }
    __builtin_unreachable();
}

/// What is told when a generation has become this, and in which words.
std::optional<std::pair<What, const char*>> told_of(State before, Event event, State after) {
    if (after == State::waiting_for_go && before == State::starting)
        return std::pair(What::ready, "is ready to accept");
    const auto was = role_of(before);
    const auto is = role_of(after);
    if (was == is || !is) return std::nullopt;
    switch (*is) {
        case Role::probation:
            return std::pair(What::probation, "accepts, on probation");
        case Role::serving:
            if (was == Role::draining) return std::nullopt;  // a rollback: who reports it knows why
            if (event == Event::promoted)
                return std::pair(What::promoted, "is the main process: its probation is over");
            return std::pair(What::serving, "serves");
        case Role::draining:
            return std::pair(What::draining, "accepts no more: its successor does");
        case Role::stopping:
            return std::pair(What::stopping, "stops");
        case Role::restarting:
            return std::pair(What::restarting, "leaves for a restart");
        default:
            return std::nullopt;
    }
}

}  // namespace

std::optional<Role> role_of(State state) {
    switch (state) {
        case State::starting:
        case State::waiting_for_go:
            return Role::starting;
        case State::on_probation:
        case State::awaiting_promotion:
            return Role::probation;
        case State::serving:
        case State::handing_over:
        case State::promoting_before_go:
            return Role::serving;
        case State::watching:
        case State::watching_drained:
        case State::watching_longer:
        case State::promoting:
        case State::promoting_drained:
        case State::draining:
            return Role::draining;
        case State::restarting:
            return Role::restarting;
        case State::stopping:
            return Role::stopping;
        case State::ended:
            return std::nullopt;
    }
    __builtin_unreachable();
}

GenerationRecorder::GenerationRecorder(Ledger& ledger, std::string_view version)
    : ledger_(ledger), registry_(ledger.registry()), begun_(steady_clock::now()) {
    page_.version = BoundedText<64>(version);
    page_.pid = ::getpid();
    page_.started_at = now_ms();
}

std::optional<std::string> GenerationRecorder::begin(std::optional<std::uint64_t> predecessor) {
    const auto cause = predecessor ? Cause::reload : cause_of_start(ledger_);
    page_.cause = number_of(cause);
    if (cause != Cause::start) page_.from = predecessor.value_or(ledger_.last_generation());
    place_ = registry_.take_place();
    if (!place_)
        return "the ledger has no place for this generation, which /status will not show: " +
               std::string(std::strerror(errno)) + " (is /proc mounted?)";
    page_.life = place_->life;
    note(0, State::starting, std::nullopt);
    tell(What::starting, name() + " starts");
    return std::nullopt;
}

// ---- what it is

std::uint64_t GenerationRecorder::number() const {
    return page_.number;
}

std::string GenerationRecorder::name() const {
    return "generation " + std::to_string(number()) + " (pid " + std::to_string(page_.pid) + ")";
}

void GenerationRecorder::note(std::uint64_t number, State state,
                              std::optional<steady_clock::time_point> drain_ends) {
    page_.number = number != 0 ? number : ledger_.last_generation() + 1;
    page_.state = BoundedText<32>(lifecycle::to_string(state));
    if (const auto role = role_of(state)) page_.role = number_of(*role);
    const bool is_ready = state != State::starting && state != State::ended;
    if (is_ready && page_.ready_at == 0) page_.ready_at = now_ms();
    page_.drain_ends_at = drain_ends ? wall_clock_ms(*drain_ends) : 0;
    write();
}

void GenerationRecorder::tell_transition(State before, Event event, State after) {
    if (const auto told = told_of(before, event, after))
        tell(told->first, name() + " " + told->second);
}

void GenerationRecorder::tell(ServiceEvent::Type type, const std::string& text) {
    registry_.event_log().append(
        {0, system_clock::now(), number(), static_cast<pid_t>(page_.pid), type, text});
}

void GenerationRecorder::count(const ConnectionCounts& counts) const {
    if (place_) registry_.count(place_->index, counts);
}

/// One that has never served leaves its place to others.
void GenerationRecorder::end(const ConnectionCounts& account) {
    if (page_.role != number_of(Role::starting)) page_.role = number_of(Role::ended);
    page_.ended_at = now_ms();
    page_.drain_ends_at = 0;
    page_.final_account.opened = account.opened;
    for (std::size_t i = 0; i < close_reason_count; ++i)
        page_.final_account.ended[i] = account.ended.at(i);
    write();
    tell(What::ended, name() + " ended: " + account.to_sentence());
}

void GenerationRecorder::write() {
    if (place_) registry_.write(*place_, page_);
}

// ---- handovers

LedgerFormat::Handover GenerationRecorder::new_handover(Cause cause) const {
    LedgerFormat::Handover handover{};
    handover.id = registry_.next_handover();
    handover.at = now_ms();
    handover.cause = number_of(cause);
    return handover;
}

void GenerationRecorder::handover_begins() {
    handover_ = new_handover(Cause::reload);
    handover_.from = number();
    registry_.write(handover_);
}

void GenerationRecorder::successor_accepts(std::uint64_t number, milliseconds after) {
    handover_.to = number;
    handover_.duration = static_cast<std::uint64_t>(after.count()) + 1;
    if (handover_.id != 0) registry_.write(handover_);
}

void GenerationRecorder::handover_ends(HandoverOutcome outcome, const std::string& reason) {
    if (handover_.id == 0) return;
    handover_.outcome = number_of(outcome) + 1;
    handover_.reason = BoundedText<256>(reason);
    registry_.write(std::exchange(handover_, {}));
}

void GenerationRecorder::came_up(std::optional<milliseconds> gap) {
    const auto cause = static_cast<Cause>(page_.cause);
    if (cause == Cause::start)
        gap = std::chrono::duration_cast<milliseconds>(steady_clock::now() - begun_);
    auto handover = new_handover(cause);
    handover.outcome = number_of(HandoverOutcome::ok) + 1;
    handover.from = page_.from;
    handover.to = number();
    if (gap) handover.duration = static_cast<std::uint64_t>(gap->count()) + 1;
    registry_.write(handover);
}

void GenerationRecorder::succeeded_a_crash() {
    auto handover = new_handover(Cause::crash);
    handover.outcome = number_of(HandoverOutcome::ok) + 1;
    handover.from = page_.from;
    handover.to = number();
    registry_.write(handover);
}

}  // namespace handover
