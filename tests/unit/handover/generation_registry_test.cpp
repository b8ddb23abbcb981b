// SPDX-License-Identifier: MIT
#include "handover/ledger/generation_registry.h"

#include "handover/ledger/ledger.h"
#include "support/open_descriptors.h"
#include "support/pipe.h"
#include "support/processes.h"

#include <gtest/gtest.h>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace handover::test {
namespace {

using Page = LedgerFormat;

Page::Generation entry(std::uint64_t number, Role role, const GenerationRegistry::Place& place) {
    Page::Generation generation{};
    generation.number = number;
    generation.life = place.life;
    generation.pid = ::getpid();
    generation.role = static_cast<std::uint64_t>(role);
    generation.started_at = static_cast<std::int64_t>(1'000'000 + number);
    if (role == Role::ended) generation.ended_at = generation.started_at + 1;
    return generation;
}

class GenerationRegistryTest : public testing::Test {
  protected:
    GenerationRegistry::Place enter(std::uint64_t number, Role role) {
        auto place = registry_.take_place();
        EXPECT_TRUE(place);
        registry_.write(*place, entry(number, role, *place));
        return std::move(*place);
    }
    [[nodiscard]] std::vector<std::pair<std::uint64_t, Role>> roles() const {
        std::vector<std::pair<std::uint64_t, Role>> result;
        for (const auto& one : registry_.read().generations)
            result.emplace_back(one.number, one.role);
        return result;
    }
    void expect_roles(const std::vector<std::pair<std::uint64_t, Role>>& expected) const {
        EXPECT_EQ(roles(), expected);
    }

    const Ledger ledger_;
    const GenerationRegistry registry_ = ledger_.registry();
};

TEST_F(GenerationRegistryTest, is_empty_at_first) {
    EXPECT_TRUE(registry_.read().generations.empty());
    EXPECT_TRUE(registry_.read().handovers.empty());
    EXPECT_EQ(registry_.event_log().last(), 0U);
}

TEST_F(GenerationRegistryTest, begins_in_a_ledger_of_an_older_release) {
    UniqueFd old(::memfd_create("old", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    const std::uint64_t magic = 0x31726567'64656c68;
    ASSERT_EQ(::ftruncate(old.get(), 11'320), 0);  // up to the program's counters
    ASSERT_EQ(::pwrite(old.get(), &magic, sizeof magic, 0), 8);
    ASSERT_EQ(::fcntl(old.get(), F_ADD_SEALS, F_SEAL_SHRINK), 0);
    const auto ledger = Ledger::adopt(std::move(old));
    ASSERT_TRUE(ledger);
    EXPECT_TRUE(ledger->registry().read().generations.empty());
    const auto place = ledger->registry().take_place();
    ASSERT_TRUE(place);
    ledger->registry().write(*place, entry(9, Role::serving, *place));
    EXPECT_EQ(ledger->registry().read().generations.at(0).number, 9U);
}

TEST_F(GenerationRegistryTest, knows_who_lives_by_a_lock_and_not_by_its_pid) {
    std::optional<GenerationRegistry::Place> one = enter(1, Role::draining);
    const auto two = enter(2, Role::serving);
    expect_roles({{2, Role::serving}, {1, Role::draining}});
    one.reset();  // its process would let go of the lock; this one, of the same pid, goes on
    expect_roles({{2, Role::serving}, {1, Role::crashed}});
}

TEST_F(GenerationRegistryTest, knows_that_a_process_was_killed) {
    const Pipe written;
    const pid_t child = ::fork();
    if (child == 0) {
        const auto place = registry_.take_place();
        registry_.write(*place, entry(3, Role::serving, *place));
        (void)!::write(written.out.get(), "x", 1);
        for (;;) ::pause();
    }
    char byte = 0;
    ASSERT_EQ(::read(written.in.get(), &byte, 1), 1);
    expect_roles({{3, Role::serving}});
    ::kill(child, SIGKILL);
    EXPECT_EQ(await_end(child), -SIGKILL);
    expect_roles({{3, Role::crashed}});
}

TEST_F(GenerationRegistryTest, one_that_has_said_its_end_has_not_crashed) {
    std::optional<GenerationRegistry::Place> one = enter(1, Role::ended);
    expect_roles({{1, Role::ended}});
    one.reset();
    expect_roles({{1, Role::ended}});
}

TEST_F(GenerationRegistryTest, one_that_never_served_is_forgotten_when_it_is_gone) {
    std::optional<GenerationRegistry::Place> one = enter(2, Role::starting);
    expect_roles({{2, Role::starting}});
    one.reset();
    expect_roles({});
}

TEST_F(GenerationRegistryTest, shows_sixteen_and_the_living_among_them) {
    const auto living = enter(1, Role::draining);
    for (std::uint64_t number = 2; number <= 40; ++number) (void)enter(number, Role::ended);
    const auto shown = roles();
    ASSERT_EQ(shown.size(), 16U);
    EXPECT_EQ(shown.front(), (std::pair<std::uint64_t, Role>{40, Role::ended}));
    EXPECT_EQ(shown.back(), (std::pair<std::uint64_t, Role>{1, Role::draining}));
}

TEST_F(GenerationRegistryTest, gives_the_place_of_who_ended_first_and_none_of_the_living) {
    std::vector<GenerationRegistry::Place> living;
    for (std::uint64_t number = 1; number <= Page::generations_most; ++number)
        living.push_back(enter(number, Role::serving));
    EXPECT_FALSE(registry_.take_place()) << "all of them live";
    living.erase(living.begin() + 10, living.begin() + 12);
    (void)enter(1000, Role::ended);
    living.push_back(enter(1001, Role::serving));
    living.push_back(enter(1002, Role::serving));  // in the place of 1000
    EXPECT_FALSE(registry_.take_place());
    EXPECT_EQ(roles().front(), (std::pair<std::uint64_t, Role>{1002, Role::serving}));
}

TEST_F(GenerationRegistryTest,
       place_that_is_taken_again_does_not_bring_the_one_before_back_to_life) {
    (void)enter(1, Role::serving);
    for (std::uint64_t number = 2; number <= Page::generations_most; ++number)
        (void)enter(number, Role::ended);
    std::vector<GenerationRegistry::Place> taken;
    while (auto place = registry_.take_place()) taken.push_back(std::move(*place));
    EXPECT_EQ(taken.size(), Page::generations_most) << "and nothing is written yet";
    const auto all = registry_.read().generations;
    EXPECT_TRUE(std::none_of(all.begin(), all.end(),
                             [](const auto& one) { return one.role == Role::serving; }));
}

TEST_F(GenerationRegistryTest, counts_of_a_generation_are_seen_by_others) {
    const auto place = enter(1, Role::draining);
    ConnectionCounts counts;
    counts.opened = 12;
    counts[CloseReason::moved] = 7;
    counts[CloseReason::no_room] = 1;
    registry_.count(place.index, counts);
    EXPECT_EQ(registry_.read().generations.at(0).counts, counts);
    EXPECT_EQ(registry_.read().generations.at(0).counts.open(), 4U);
}

TEST_F(GenerationRegistryTest, has_the_last_64_handovers_newest_first) {
    for (std::uint64_t i = 1; i <= 100; ++i) {
        Page::Handover handover{};
        handover.id = registry_.next_handover();
        handover.outcome = 1 + static_cast<std::uint64_t>(HandoverOutcome::ok);
        handover.duration = i + 1;
        registry_.write(handover);
    }
    const auto handovers = registry_.read().handovers;
    ASSERT_EQ(handovers.size(), 64U);
    EXPECT_EQ(handovers.front().id, 100U);
    EXPECT_EQ(handovers.front().duration, std::chrono::milliseconds(100));
    EXPECT_EQ(handovers.back().id, 37U);
}

TEST_F(GenerationRegistryTest, handover_of_a_generation_that_is_gone_has_failed) {
    std::optional<GenerationRegistry::Place> place = enter(5, Role::serving);
    Page::Handover handover{};
    handover.id = registry_.next_handover();
    handover.from = 5;
    handover.cause = static_cast<std::uint64_t>(Cause::reload);
    registry_.write(handover);
    EXPECT_FALSE(registry_.read().handovers.at(0).outcome);
    place.reset();
    const auto record = registry_.read().handovers.at(0);
    EXPECT_EQ(record.outcome, HandoverOutcome::failed);
    EXPECT_EQ(record.reason, "generation 5 ended without a word in the middle of it");
}

TEST_F(GenerationRegistryTest, text_of_a_stranger_is_made_printable) {
    const auto place = enter(1, Role::serving);
    auto generation = entry(1, Role::serving, place);
    generation.version = BoundedText<64>("1.0\x1b[2J");
    generation.state = BoundedText<32>("a\nb");
    registry_.write(place, generation);
    EXPECT_EQ(registry_.read().generations.at(0).version, "1.0\\x1b[2J");
    EXPECT_EQ(registry_.read().generations.at(0).state, "a\\x0ab");
}

TEST_F(GenerationRegistryTest, nothing_in_the_page_makes_reader_or_writer_fail) {
    constexpr off_t begin = 11'320;
    for (unsigned seed = 0; seed < 100; ++seed) {
        std::mt19937_64 random(seed);
        std::vector<std::uint64_t> noise(sizeof(Page) / 8);
        for (auto& word : noise) word = seed % 2 == 0 ? random() : random() % 8;
        ASSERT_EQ(::pwrite(ledger_.fd(), noise.data(), sizeof(Page), begin),
                  static_cast<ssize_t>(sizeof(Page)));
        (void)registry_.read();
        const auto place = registry_.take_place();
        ASSERT_TRUE(place);
        registry_.write(*place, entry(seed, Role::serving, *place));
        const auto all = registry_.read().generations;
        EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const auto& one) {
            return one.number == seed && one.role == Role::serving && one.pid == ::getpid();
        }));
        (void)registry_.next_handover();
    }
}

TEST_F(GenerationRegistryTest, leaves_no_descriptor_behind_and_none_that_a_child_would_keep) {
    const auto before = open_descriptors();
    {
        const auto place = enter(1, Role::serving);
        EXPECT_TRUE(is_cloexec(place.locks.get()));
    }
    EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace handover::test
