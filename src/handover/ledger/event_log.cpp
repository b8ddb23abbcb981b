// SPDX-License-Identifier: MIT
#include "handover/ledger/event_log.h"

#include "handover/ledger/generation_registry.h"
#include "handover/ledger/ledger_format.h"
#include "handover/printable.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <ctime>
#include <utility>

namespace handover {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::uint64_t event_places = LedgerFormat::events_most;
/// What programs of all languages can read from JSON.
constexpr std::uint64_t most_id = (std::uint64_t{1} << 53U) - event_places;
/// A writer needs microseconds; if it has not come to it for so long, it is dead or stopped.
constexpr milliseconds writer_timeout{200};
/// Each but the last is thwarted by another writer, or by numbers that no writer has left there.
constexpr int tries = 1000;

/// A claim is an id and how far its owner has come.
enum class Stage : std::uint64_t { free, writing, written, given_up };

constexpr std::uint64_t claim_of(std::uint64_t id, Stage stage) {
    return id << 2U | static_cast<std::uint64_t>(stage);
}
constexpr std::uint64_t id_of(std::uint64_t claim) {
    return claim >> 2U;
}

// The shared kind: those who wait are in other processes, too.

void wake_all(std::atomic<std::uint32_t>& futex) {
    (void)::syscall(SYS_futex, &futex, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

void wait_while(std::atomic<std::uint32_t>& futex, std::uint32_t value, milliseconds at_most) {
    const auto ms = std::max<milliseconds::rep>(at_most.count(), 1);
    const timespec time{ms / 1000, ms % 1000 * 1'000'000};
    (void)::syscall(SYS_futex, &futex, FUTEX_WAIT, value, &time, nullptr, 0);
}

std::optional<ServiceEvent> read(const LedgerFormat::EventPlace& place, std::uint64_t id) {
    const auto record = place.record.read();
    if (!record || record->id != id || record->type >= all_service_event_types.size())
        return std::nullopt;
    return ServiceEvent{id,
                        time_of(record->at),
                        record->generation,
                        static_cast<pid_t>(record->pid),
                        static_cast<ServiceEvent::Type>(record->type),
                        printable(record->text.view())};
}

}  // namespace

void EventLog::append(const ServiceEvent& event) const noexcept {
    for (int i = 0; i < tries; ++i) {
        const auto id = claim();
        if (!id) continue;
        auto& place = place_of(*id);
        place.record.write({*id,
                            ms_of(event.at),
                            event.generation,
                            event.pid,
                            static_cast<std::uint64_t>(event.type),
                            BoundedText<256>(event.text),
                            {}});
        auto ours = claim_of(*id, Stage::writing);
        if (!place.claim.compare_exchange_strong(ours, claim_of(*id, Stage::written))) continue;
        page_->futex.fetch_add(1);
        return wake_all(page_->futex);
    }
}

std::optional<std::uint64_t> EventLog::claim() const noexcept {
    const auto id = last() + 1;
    auto& place = place_of(id);
    auto claimed = place.claim.load();
    const auto other = id_of(claimed);
    if (other >= id && other <= most_id && &place_of(other) == &place) {
        raise_last(other);  // somebody was faster
        return std::nullopt;
    }
    if (!place.claim.compare_exchange_strong(claimed, claim_of(id, Stage::writing)))
        return std::nullopt;
    raise_last(id);
    return id;
}

void EventLog::raise_last(std::uint64_t id) const noexcept {
    auto last = page_->last_event_id.load();
    while ((last < id || last > most_id) && !page_->last_event_id.compare_exchange_weak(last, id)) {
    }
}

/// Whoever claimed an id may have died before he could count it.
std::uint64_t EventLog::last() const noexcept {
    auto last = page_->last_event_id.load();
    if (last > most_id) last = 0;
    for (std::uint64_t i = 0;
         i < event_places && id_of(place_of(last + 1).claim.load()) == last + 1; ++i)
        ++last;
    return last;
}

EventLog::Found EventLog::find(std::uint64_t after) const {
    Found found;
    const auto newest = last();
    if (after > newest) after = 0;
    const auto oldest = newest > event_places ? newest - event_places + 1 : 1;
    for (auto id = std::max(after + 1, oldest); id <= newest; ++id) {
        const auto claim = place_of(id).claim.load();
        if (claim == claim_of(id, Stage::writing)) {
            found.unfinished = id;
            break;
        }
        if (claim != claim_of(id, Stage::written)) continue;
        if (auto event = read(place_of(id), id)) found.events.push_back(std::move(*event));
    }
    return found;
}

void EventLog::give_up(std::uint64_t id) const noexcept {
    auto claim = claim_of(id, Stage::writing);
    place_of(id).claim.compare_exchange_strong(claim, claim_of(id, Stage::given_up));
}

std::vector<ServiceEvent> EventLog::await(std::uint64_t after, milliseconds timeout) const {
    const auto until = steady_clock::now() + timeout;
    std::optional<std::uint64_t> unfinished;
    steady_clock::time_point unfinished_until;
    for (;;) {
        const auto rung = page_->futex.load();
        auto found = find(after);
        if (!found.events.empty()) return std::move(found.events);
        const auto now = steady_clock::now();
        auto next = until;
        if (found.unfinished) {
            if (std::exchange(unfinished, found.unfinished) != found.unfinished)
                unfinished_until = now + writer_timeout;
            if (now >= unfinished_until) {
                give_up(*unfinished);
                continue;
            }
            next = std::min(until, unfinished_until);
        }
        if (now >= until) return {};
        wait_while(page_->futex, rung, std::chrono::ceil<milliseconds>(next - now));
    }
}

}  // namespace handover
