// SPDX-License-Identifier: MIT
#include "handover/ledger/ledger.h"

#include "support/open_descriptors.h"
#include "support/pipe.h"

#include <gtest/gtest.h>

#include <sys/mman.h>
#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace handover::test {
namespace {

constexpr unsigned most_own = 256;
constexpr std::uint64_t magic = 0x31726567'64656c68;  // as every version 1 has written it
constexpr off_t format_size = 8 + 8 + most_own * 8;

UniqueFd twin(const Ledger& ledger) {
    return UniqueFd(::fcntl(ledger.fd(), F_DUPFD_CLOEXEC, 3));
}

/// A memory file as somebody else might make it.
struct Forged {
    off_t size = format_size;
    std::uint64_t magic_number = magic;
    int seals = F_SEAL_SHRINK;
    unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;

    [[nodiscard]] UniqueFd make() const {
        UniqueFd fd(::memfd_create("forged", flags));
        EXPECT_EQ(::ftruncate(fd.get(), size), 0);
        if (size >= static_cast<off_t>(sizeof magic_number)) {
            EXPECT_EQ(::pwrite(fd.get(), &magic_number, sizeof magic_number, 0), 8);
        }
        if (seals != 0) {
            EXPECT_EQ(::fcntl(fd.get(), F_ADD_SEALS, seals), 0);
        }
        return fd;
    }
};

TEST(Ledger, is_empty_when_fresh) {
    const Ledger ledger;
    EXPECT_EQ(ledger.last_generation(), 0U);
    EXPECT_EQ(ledger.own_count(), 0U);
    EXPECT_TRUE(is_cloexec(ledger.fd()));
}

TEST(Ledger, remembers_its_own_until_struck) {
    Ledger ledger;
    EXPECT_TRUE(ledger.enter_own(7));
    EXPECT_TRUE(ledger.enter_own(8));
    EXPECT_TRUE(ledger.enter_own(7)) << "once is enough";
    EXPECT_EQ(ledger.own_count(), 2U);
    EXPECT_TRUE(ledger.is_own(7));
    ledger.strike_own(7);
    EXPECT_FALSE(ledger.is_own(7));
    EXPECT_TRUE(ledger.is_own(8));
    EXPECT_EQ(ledger.own_count(), 1U);
    ledger.strike_own(99);
    EXPECT_EQ(ledger.own_count(), 1U);
}

TEST(Ledger, never_owns_what_is_no_socket) {
    Ledger ledger;
    EXPECT_FALSE(ledger.is_own(0)) << "a free place is no entry";
    ledger.strike_own(0);
    EXPECT_EQ(ledger.own_count(), 0U);
}

TEST(Ledger, has_room_for_256_and_says_when_it_is_full) {
    Ledger ledger;
    for (std::uint64_t cookie = 1; cookie <= most_own; ++cookie)
        ASSERT_TRUE(ledger.enter_own(cookie));
    EXPECT_FALSE(ledger.enter_own(1000));
    EXPECT_TRUE(ledger.enter_own(1)) << "is there already";
    ledger.strike_own(17);
    EXPECT_TRUE(ledger.enter_own(1000)) << "a struck place is free again";
    EXPECT_EQ(ledger.own_count(), most_own);
}

TEST(Ledger, strikes_all_but_those_to_keep) {
    Ledger ledger;
    for (const std::uint64_t cookie : {1, 2, 3, 4}) ASSERT_TRUE(ledger.enter_own(cookie));
    EXPECT_EQ(ledger.keep_own(std::array<std::uint64_t, 3>{2, 4, 99}), 2U);
    EXPECT_FALSE(ledger.is_own(1));
    EXPECT_TRUE(ledger.is_own(2));
    EXPECT_TRUE(ledger.is_own(4));
    EXPECT_FALSE(ledger.is_own(99)) << "keeping is not entering";
    EXPECT_EQ(ledger.keep_own({}), 2U);
    EXPECT_EQ(ledger.own_count(), 0U);
}

TEST(Ledger, is_seen_by_two_generations_at_once) {
    Ledger predecessors;
    predecessors.set_last_generation(3);
    ASSERT_TRUE(predecessors.enter_own(5));
    auto successors = Ledger::adopt(twin(predecessors));
    ASSERT_TRUE(successors);
    EXPECT_EQ(successors->last_generation(), 3U);
    EXPECT_TRUE(successors->is_own(5));
    successors->set_last_generation(4);
    ASSERT_TRUE(successors->enter_own(6));
    successors->strike_own(5);
    EXPECT_EQ(predecessors.last_generation(), 4U);
    EXPECT_TRUE(predecessors.is_own(6));
    EXPECT_FALSE(predecessors.is_own(5));
}

TEST(Ledger, outlives_the_one_that_made_it) {
    UniqueFd kept;
    {
        Ledger ledger;
        ledger.set_last_generation(9);
        kept = twin(ledger);
    }
    const auto adopted = Ledger::adopt(std::move(kept));
    ASSERT_TRUE(adopted);
    EXPECT_EQ(adopted->last_generation(), 9U);
}

TEST(Ledger, takes_every_entry_of_threads_that_write_at_once) {
    Ledger ledger;
    std::vector<std::thread> writers;
    for (std::uint64_t writer = 0; writer < 4; ++writer)
        writers.emplace_back([&ledger, writer] {
            for (std::uint64_t i = 1; i <= most_own / 4; ++i)
                EXPECT_TRUE(ledger.enter_own(writer * 1000 + i));
        });
    for (auto& writer : writers) writer.join();
    EXPECT_EQ(ledger.own_count(), most_own);
}

TEST(Ledger, moves_its_mapping_along) {
    Ledger from;
    from.set_last_generation(2);
    Ledger to(std::move(from));
    EXPECT_EQ(to.last_generation(), 2U);
    Ledger assigned;
    assigned = std::move(to);
    EXPECT_EQ(assigned.last_generation(), 2U);
}

TEST(Ledger, cannot_be_cut_short_under_a_reader) {
    const Ledger ledger;
    EXPECT_EQ(::ftruncate(ledger.fd(), 0), -1);
}

TEST(Ledger, adopts_what_another_build_of_version_1_has_written) {
    const auto fd = Forged{}.make();
    const std::uint64_t numbers[] = {12, 0, 4711};  // last generation, own[0], own[1]
    ASSERT_EQ(::pwrite(fd.get(), numbers, sizeof numbers, 8), 24);
    auto adopted = Ledger::adopt(UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3)));
    ASSERT_TRUE(adopted);
    EXPECT_EQ(adopted->last_generation(), 12U);
    EXPECT_TRUE(adopted->is_own(4711));
    EXPECT_EQ(adopted->own_count(), 1U);
}

TEST(Ledger, adopts_a_longer_one) {
    EXPECT_TRUE(Ledger::adopt(Forged{.size = 3 * format_size}.make()));
}

TEST(Ledger, tells_who_is_the_main_process_and_who_its_anchor_in_one_of_the_first_format_too) {
    const auto fd = Forged{}.make();
    auto one = Ledger::adopt(UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3)));
    auto other = Ledger::adopt(UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3)));
    ASSERT_TRUE(one && other);
    EXPECT_EQ(one->main_pid(), 0);
    EXPECT_EQ(one->anchor_pid(), 0);
    one->set_main_pid(4'194'304);
    one->set_anchor_pid(1);
    EXPECT_EQ(other->main_pid(), 4'194'304);
    EXPECT_EQ(other->anchor_pid(), 1);
    EXPECT_FALSE(other->is_signalling());
    one->set_signalling(true);
    EXPECT_TRUE(other->is_signalling());
    one->set_signalling(false);
    EXPECT_FALSE(other->is_signalling());
}

TEST(Ledger, has_totals_that_every_generation_counts_in) {
    const Ledger first;
    const auto second = Ledger::adopt(twin(first));
    ASSERT_TRUE(second);
    for (const Ledger* ledger : {&first, &*second}) {
        ledger->handover_counters().count(HandoverKind::reload, HandoverOutcome::rolled_back);
        increment(ledger->program_counters().front());
        increment(ledger->program_counters().back());
    }
    const auto third = Ledger::adopt(twin(first));
    ASSERT_TRUE(third);
    for (const Ledger* ledger : {&first, &*second, &*third}) {
        EXPECT_EQ(ledger->handover_counters().count_of(HandoverKind::reload,
                                                       HandoverOutcome::rolled_back),
                  2U);
        EXPECT_EQ(ledger->program_counters().front(), 2U);
        EXPECT_EQ(ledger->program_counters().back(), 2U);
    }
}

TEST(Ledger, takes_every_count_of_threads_and_mappings_that_count_at_once) {
    const Ledger first;
    const auto second = Ledger::adopt(twin(first));
    ASSERT_TRUE(second);
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([counters = (i % 2 == 0 ? first : *second).program_counters()] {
            for (int count = 0; count < 10'000; ++count) increment(counters[5]);
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(first.program_counters()[5], 40'000U);
}

TEST(Ledger, begins_the_totals_at_zero_in_one_of_the_first_format) {
    const auto ledger = Ledger::adopt(Forged{}.make());
    ASSERT_TRUE(ledger);
    for (const auto& total : ledger->program_counters()) EXPECT_EQ(total, 0U);
    EXPECT_EQ(ledger->handover_counters().drains().count(), 0U);
    EXPECT_EQ(ledger->last_end().kind, Ledger::End::Kind::crash);
}

TEST(Ledger, knows_how_the_last_main_process_ended) {
    using Kind = Ledger::End::Kind;
    Ledger ledger;
    EXPECT_EQ(ledger.last_end().kind, Kind::crash) << "without a word";
    const auto now = std::chrono::steady_clock::now();
    for (const auto kind : {Kind::restart, Kind::stop, Kind::crash}) {
        ledger.set_last_end({kind, now});
        const auto end = Ledger::adopt(twin(ledger))->last_end();
        EXPECT_EQ(end.kind, kind);
        if (kind == Kind::restart) {
            EXPECT_EQ(end.when, now);
        }
    }
}

TEST(Ledger, refuses_what_is_hostile_and_closes_it) {
    const UniqueFd read_only_origin = Forged{}.make();
    const auto proc_path = "/proc/self/fd/" + std::to_string(read_only_origin.get());
    const std::pair<const char*, std::function<UniqueFd()>> hostile[] = {
        {"empty", [] { return Forged{.size = 0}.make(); }},
        {"one byte", [] { return Forged{.size = 1}.make(); }},
        {"one byte short", [] { return Forged{.size = format_size - 1}.make(); }},
        {"could be cut short", [] { return Forged{.seals = 0}.make(); }},
        {"sealed otherwise", [] { return Forged{.seals = F_SEAL_GROW}.make(); }},
        {"cannot be sealed", [] { return Forged{.seals = 0, .flags = MFD_CLOEXEC}.make(); }},
        {"cannot be written", [] { return Forged{.seals = F_SEAL_SHRINK | F_SEAL_WRITE}.make(); }},
        {"opened to be read only",
         [&] { return UniqueFd(::open(proc_path.c_str(), O_RDONLY | O_CLOEXEC)); }},
        {"no magic", [] { return Forged{.magic_number = 0}.make(); }},
        {"another version", [] { return Forged{.magic_number = magic + (1ULL << 56)}.make(); }},
        {"a pipe", [] { return std::move(Pipe().in); }},
        {"a file", [] { return UniqueFd(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC)); }},
        {"nothing", [] { return UniqueFd(); }},
    };
    const auto before = open_descriptors();
    for (const auto& [what, make] : hostile) {
        EXPECT_FALSE(Ledger::adopt(make())) << what;
        EXPECT_EQ(open_descriptors(), before) << what;
    }
}

TEST(Ledger, leaves_no_descriptor_behind) {
    const auto before = open_descriptors();
    {
        Ledger ledger;
        const auto adopted = Ledger::adopt(twin(ledger));
        ledger = Ledger();
    }
    EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace handover::test
