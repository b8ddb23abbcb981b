// SPDX-License-Identifier: MIT
#include "handover/happenings.h"

#include "handover/chronicle.h"
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

constexpr std::uint64_t places = ChroniclePage::happenings_most;
/// What programs of all languages can read from JSON.
constexpr std::uint64_t most_id = (std::uint64_t{1} << 53U) - places;
/// A writer needs microseconds; if it has not come to it for so long, it is dead or stopped.
constexpr milliseconds writer_patience{200};
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

void wake_all(std::atomic<std::uint32_t>& bell) {
    (void)::syscall(SYS_futex, &bell, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

void wait_while(std::atomic<std::uint32_t>& bell, std::uint32_t value, milliseconds at_most) {
    const auto ms = std::max<milliseconds::rep>(at_most.count(), 1);
    const timespec time{ms / 1000, ms % 1000 * 1'000'000};
    (void)::syscall(SYS_futex, &bell, FUTEX_WAIT, value, &time, nullptr, 0);
}

std::optional<Happening> read(const ChroniclePage::HappeningPlace& place, std::uint64_t id) {
    const auto record = place.record.read();
    if (!record || record->id != id || record->what >= all_happenings.size()) return std::nullopt;
    return Happening{id,
                     time_of(record->at),
                     record->generation,
                     static_cast<pid_t>(record->pid),
                     static_cast<Happening::What>(record->what),
                     printable(record->text.view())};
}

}  // namespace

void Happenings::append(const Happening& happening) const noexcept {
    for (int i = 0; i < tries; ++i) {
        const auto id = claim();
        if (!id) continue;
        auto& place = place_of(*id);
        place.record.write({*id,
                            ms_of(happening.at),
                            happening.generation,
                            happening.pid,
                            static_cast<std::uint64_t>(happening.what),
                            BoundedText<256>(happening.text),
                            {}});
        auto ours = claim_of(*id, Stage::writing);
        if (!place.claim.compare_exchange_strong(ours, claim_of(*id, Stage::written))) continue;
        page_->bell.fetch_add(1);
        return wake_all(page_->bell);
    }
}

std::optional<std::uint64_t> Happenings::claim() const noexcept {
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

void Happenings::raise_last(std::uint64_t id) const noexcept {
    auto last = page_->last_happening.load();
    while ((last < id || last > most_id) &&
           !page_->last_happening.compare_exchange_weak(last, id)) {
    }
}

/// Whoever claimed an id may have died before he could count it.
std::uint64_t Happenings::last() const noexcept {
    auto last = page_->last_happening.load();
    if (last > most_id) last = 0;
    for (std::uint64_t i = 0; i < places && id_of(place_of(last + 1).claim.load()) == last + 1; ++i)
        ++last;
    return last;
}

Happenings::Found Happenings::find(std::uint64_t after) const {
    Found found;
    const auto newest = last();
    if (after > newest) after = 0;
    const auto oldest = newest > places ? newest - places + 1 : 1;
    for (auto id = std::max(after + 1, oldest); id <= newest; ++id) {
        const auto claim = place_of(id).claim.load();
        if (claim == claim_of(id, Stage::writing)) {
            found.unfinished = id;
            break;
        }
        if (claim != claim_of(id, Stage::written)) continue;
        if (auto happening = read(place_of(id), id))
            found.happenings.push_back(std::move(*happening));
    }
    return found;
}

void Happenings::give_up(std::uint64_t id) const noexcept {
    auto claim = claim_of(id, Stage::writing);
    place_of(id).claim.compare_exchange_strong(claim, claim_of(id, Stage::given_up));
}

std::vector<Happening> Happenings::await(std::uint64_t after, milliseconds patience) const {
    const auto until = steady_clock::now() + patience;
    std::optional<std::uint64_t> unfinished;
    steady_clock::time_point unfinished_until;
    for (;;) {
        const auto rung = page_->bell.load();
        auto found = find(after);
        if (!found.happenings.empty()) return std::move(found.happenings);
        const auto now = steady_clock::now();
        auto next = until;
        if (found.unfinished) {
            if (std::exchange(unfinished, found.unfinished) != found.unfinished)
                unfinished_until = now + writer_patience;
            if (now >= unfinished_until) {
                give_up(*unfinished);
                continue;
            }
            next = std::min(until, unfinished_until);
        }
        if (now >= until) return {};
        wait_while(page_->bell, rung, std::chrono::ceil<milliseconds>(next - now));
    }
}

}  // namespace handover
