// SPDX-License-Identifier: MIT
// Whatever memory file comes under the ledger's name: it is refused and closed, or none of its
// entries can make a reader fail, and what is written is there afterwards.
//
// The first byte says how the file is sealed.
#include "fuzzer.h"
#include "handover/ledger/ledger.h"
#include "handover/printable.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <utility>

using handover::Ledger;
using handover::UniqueFd;

namespace {

UniqueFd memory_file(const std::uint8_t* data, std::size_t size, int seals) {
    UniqueFd fd(::memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    require(::write(fd.get(), data, size) == static_cast<ssize_t>(size));
    require(::fcntl(fd.get(), F_ADD_SEALS, seals) == 0);
    return fd;
}

void use_counters(Ledger& ledger) {
    using handover::HandoverKind;
    using handover::HandoverOutcome;
    const auto counters = ledger.handover_counters();
    const auto before = counters.count_of(HandoverKind::crash, HandoverOutcome::ok);
    counters.count(HandoverKind::crash, HandoverOutcome::ok);
    require(counters.count_of(HandoverKind::crash, HandoverOutcome::ok) == before + 1);
    const auto drains = counters.drains().count();
    counters.drains().add(std::chrono::hours(1));
    require(counters.drains().count() == drains + 1);
    handover::increment(ledger.program_counters().back());
    const auto end = ledger.last_end();
    ledger.set_last_end(end);
    require(ledger.last_end().kind == end.kind && ledger.last_end().when == end.when);
}

/// What is read is well-formed, and what is written is read again.
void use_registry(const Ledger& ledger) {
    using handover::Role;
    const auto registry = ledger.registry();
    const auto place = registry.take_place();
    require(place.has_value());
    handover::LedgerFormat::Generation generation{};
    generation.number = ~std::uint64_t{0};
    generation.life = place->life;
    generation.role = static_cast<std::uint64_t>(Role::serving);
    registry.write(*place, generation);
    registry.count(place->index, {});
    handover::LedgerFormat::Handover handover{};
    handover.id = registry.next_handover();
    registry.write(handover);
    const auto history = registry.read();
    require(!history.generations.empty() && history.generations.size() <= 16);
    require(history.generations[0].number == generation.number);
    require(history.handovers.size() <= 64);
    for (const auto& one : history.generations) {
        require(!to_string(one.role).empty() && !to_string(one.cause).empty());
        require(one.version == handover::printable(one.version));
    }
    for (const auto& one : history.handovers)
        require(!to_string(one.cause).empty() && one.reason == handover::printable(one.reason));
}

void use_events(const Ledger& ledger) {
    const auto events = ledger.registry().event_log();
    events.append({0, {}, 1, 1, handover::ServiceEvent::Type::ready, "text"});
    std::uint64_t last = 0;
    for (const auto& one : events.await(0, std::chrono::milliseconds(0))) {
        require(one.id > last && !to_string(one.type).empty());
        require(one.text == handover::printable(one.text));
        last = one.id;
    }
    require(last <= events.last());
}

void use(Ledger& ledger) {
    constexpr std::uint64_t cookie = 4711;
    ledger.set_last_generation(ledger.last_generation() + 1);
    const auto entries = ledger.own_count();
    const bool entered = ledger.enter_own(cookie);
    require(entered == ledger.is_own(cookie));
    require(ledger.own_count() <= entries + 1);
    const std::array<std::uint64_t, 1> kept{cookie};
    (void)ledger.keep_own(kept);
    require(ledger.is_own(cookie) == entered && (!entered || ledger.own_count() > 0));
    ledger.strike_own(cookie);
    use_counters(ledger);
    use_registry(ledger);
    use_events(ledger);
    require(!ledger.is_own(cookie) && ledger.own_count() == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    constexpr int all_seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    auto file = memory_file(data + 1, size - 1, data[0] & all_seals);
    const int number = file.get();
    if (auto ledger = Ledger::adopt(std::move(file))) {
        require((data[0] & F_SEAL_SHRINK) != 0);
        require(ledger->fd() == number);
        use(*ledger);
    }
    require(::fcntl(number, F_GETFD) == -1);
    return 0;
}
