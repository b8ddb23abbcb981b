// SPDX-License-Identifier: MIT
#include "handover/ledger/generation_registry.h"

#include "handover/printable.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <utility>

namespace handover {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

constexpr std::size_t generation_places = LedgerFormat::generations_most;
constexpr std::size_t shown_most = 16;
/// No file comes to be as long.
constexpr off_t first_place_lock = off_t{1} << 40U;
constexpr off_t first_life_lock = off_t{1} << 41U;
constexpr std::uint64_t life_mask = 0xffffffff;

static_assert(close_reason_count <= LedgerFormat::close_reasons_most);

off_t lock_of_life(std::uint64_t life) {
    return first_life_lock + static_cast<off_t>(life & life_mask);
}

struct flock lock_at(off_t offset) {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = offset;
    lock.l_len = 1;
    return lock;
}

bool take_lock(int fd, off_t offset) {
    auto lock = lock_at(offset);
    return ::fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

/// By any other open file than this one.
bool is_locked(int fd, off_t offset) {
    auto lock = lock_at(offset);
    return ::fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/// The same file opened anew: a descriptor that came by inheritance shares its locks with everybody
/// who has it. A memory file has no other name.
UniqueFd reopen(int fd) {
    const auto path = "/proc/self/fd/" + std::to_string(fd);
    return UniqueFd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
}

std::optional<system_clock::time_point> optional_time(std::int64_t ms) {
    return ms == 0 ? std::nullopt : std::optional(time_of(ms));
}

ConnectionCounts counts_of(const LedgerFormat::Account& account) {
    ConnectionCounts counts;
    counts.opened = account.opened;
    std::copy_n(account.ended, close_reason_count, counts.ended.begin());
    return counts;
}

/// The endings first: what is counted as ended was counted as opened before.
ConnectionCounts counts_of(const LedgerFormat::GenerationPlace& place) {
    ConnectionCounts counts;
    for (std::size_t i = 0; i < close_reason_count; ++i) counts.ended.at(i) = place.ended[i].load();
    counts.opened = std::max(place.opened.load(), counts.ended_total());
    return counts;
}

bool means_something(const LedgerFormat::Generation& record) {
    return record.role <= static_cast<std::uint64_t>(Role::ended) &&
           record.cause <= static_cast<std::uint64_t>(Cause::crash);
}

GenerationRecord record_of(const LedgerFormat::Generation& from) {
    GenerationRecord record;
    record.number = from.number;
    record.pid = static_cast<pid_t>(from.pid);
    record.version = printable(from.version.view());
    record.role = static_cast<Role>(from.role);
    record.state = printable(from.state.view());
    record.cause = static_cast<Cause>(from.cause);
    record.from = from.from;
    record.started_at = time_of(from.started_at);
    record.ready_at = optional_time(from.ready_at);
    record.ended_at = optional_time(from.ended_at);
    record.drain_ends_at = optional_time(from.drain_ends_at);
    if (record.role == Role::ended) record.final_account = counts_of(from.final_account);
    return record;
}

std::optional<HandoverRecord> record_of(const LedgerFormat::Handover& from) {
    if (from.cause > static_cast<std::uint64_t>(Cause::crash) ||
        from.outcome > all_handover_outcomes.size())
        return std::nullopt;
    HandoverRecord record;
    record.id = from.id;
    record.at = time_of(from.at);
    record.cause = static_cast<Cause>(from.cause);
    if (from.outcome != 0) record.outcome = static_cast<HandoverOutcome>(from.outcome - 1);
    record.from = from.from;
    record.to = from.to;
    constexpr std::uint64_t a_year_in_ms = 365ULL * 24 * 3600 * 1000;
    if (from.duration != 0)
        record.duration = milliseconds(std::min(from.duration - 1, a_year_in_ms));
    record.reason = printable(from.reason.view());
    return record;
}

}  // namespace

// ---- generations

std::optional<GenerationRegistry::Place> GenerationRegistry::take_place() const {
    Place place{0, page_->lives.fetch_add(1) + 1, reopen(fd_)};
    if (!place.locks) return std::nullopt;
    for (const auto index : places_in_order()) {
        if (!take_lock(place.locks.get(), first_place_lock + static_cast<off_t>(index))) continue;
        if (!take_lock(place.locks.get(), lock_of_life(place.life))) return std::nullopt;
        place.index = index;
        count(index, {});
        return place;
    }
    return std::nullopt;
}

/// First those that nobody would miss.
std::vector<std::size_t> GenerationRegistry::places_in_order() const {
    std::array<std::int64_t, generation_places> latest{};
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < generation_places; ++i) {
        order.push_back(i);
        const auto record = page_->generations[i].record.read();
        if (!record || record->role == static_cast<std::uint64_t>(Role::starting)) continue;
        latest.at(i) = std::max({std::int64_t{1}, record->started_at, record->ended_at});
    }
    std::stable_sort(order.begin(), order.end(), [&latest](std::size_t one, std::size_t other) {
        return latest.at(one) < latest.at(other);
    });
    return order;
}

void GenerationRegistry::write(const Place& place,
                               const LedgerFormat::Generation& generation) const noexcept {
    page_->generations[place.index].record.write(generation);
}

void GenerationRegistry::count(std::size_t place, const ConnectionCounts& counts) const noexcept {
    auto& to = page_->generations[place];
    to.opened = counts.opened;
    for (std::size_t i = 0; i < close_reason_count; ++i) to.ended[i] = counts.ended.at(i);
}

std::optional<GenerationRegistry::Found> GenerationRegistry::find(std::size_t place) const {
    const auto entry = page_->generations[place].record.read();
    if (!entry || !means_something(*entry)) return std::nullopt;
    Found found{record_of(*entry), false};
    auto& role = found.record.role;
    found.record.counts = counts_of(page_->generations[place]);
    found.lives = role != Role::ended && is_locked(fd_, lock_of_life(entry->life));
    if (found.lives || role == Role::ended) return found;
    if (role == Role::starting) return std::nullopt;  // it never served: the handover failed
    role = Role::crashed;
    return found;
}

std::vector<GenerationRegistry::Found> GenerationRegistry::generations() const {
    std::vector<Found> all;
    for (std::size_t i = 0; i < generation_places; ++i)
        if (auto found = find(i)) all.push_back(std::move(*found));
    return all;
}

// ---- handovers

std::uint64_t GenerationRegistry::next_handover() const noexcept {
    constexpr std::uint64_t highest_id = std::uint64_t{1} << 53U;
    if (page_->last_handover > highest_id) page_->last_handover = 0;  // no count leads there
    return page_->last_handover.fetch_add(1) + 1;
}

void GenerationRegistry::write(const LedgerFormat::Handover& handover) const noexcept {
    page_->handovers[handover.id % LedgerFormat::handovers_most].write(handover);
}

/// One that goes on while its generation is gone has failed: there is nobody who could say so.
std::vector<HandoverRecord> GenerationRegistry::handovers(const std::vector<Found>& known) const {
    const auto goes_on = [&known](const HandoverRecord& record) {
        return std::any_of(known.begin(), known.end(), [&record](const Found& one) {
            return one.lives && one.record.number == record.from;
        });
    };
    std::vector<HandoverRecord> result;
    const auto last = page_->last_handover.load();
    for (std::uint64_t i = 0; i < LedgerFormat::handovers_most && i < last; ++i) {
        const auto id = last - i;
        const auto entry = page_->handovers[id % LedgerFormat::handovers_most].read();
        auto record = entry && entry->id == id ? record_of(*entry) : std::nullopt;
        if (!record) continue;
        if (!record->outcome && !goes_on(*record)) {
            record->outcome = HandoverOutcome::failed;
            record->reason = "generation " + std::to_string(record->from) +
                             " ended without a word in the middle of it";
        }
        result.push_back(std::move(*record));
    }
    return result;
}

History GenerationRegistry::read() const {
    auto all = generations();
    History history;
    history.handovers = handovers(all);
    const auto newer = [](const Found& one, const Found& other) {
        return std::pair(one.record.number, one.record.started_at) >
               std::pair(other.record.number, other.record.started_at);
    };
    std::sort(all.begin(), all.end(), newer);
    // The living ones are not to be crowded out.
    std::stable_partition(all.begin(), all.end(), [](const Found& one) { return one.lives; });
    all.resize(std::min(all.size(), shown_most));
    std::sort(all.begin(), all.end(), newer);
    for (auto& one : all) history.generations.push_back(std::move(one.record));
    return history;
}

}  // namespace handover
