// SPDX-License-Identifier: MIT
#include "handover/ledger/shared_record.h"

#include "support/processes.h"

#include <gtest/gtest.h>

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>

namespace handover::test {
namespace {

/// Whole if all its words are the same.
struct Entry {
    std::array<std::uint64_t, 40> words;

    static Entry of(std::uint64_t value) {
        Entry entry{};
        entry.words.fill(value);
        return entry;
    }
    [[nodiscard]] bool whole() const { return words == of(words[0]).words; }
};
using Cell = SharedRecord<Entry>;

TEST(SharedRecord, that_is_all_zero_has_nothing_in_it) {
    EXPECT_FALSE(std::make_unique<Cell>()->read());
}

TEST(SharedRecord, has_what_was_written_last) {
    const auto cell = std::make_unique<Cell>();
    for (std::uint64_t i = 1; i < 10; ++i) {
        cell->write(Entry::of(i));
        ASSERT_TRUE(cell->read());
        EXPECT_EQ(cell->read()->words, Entry::of(i).words);
    }
}

TEST(SharedRecord, shows_no_mixture_while_it_is_written) {
    const auto cell = std::make_unique<Cell>();
    std::atomic<bool> stop{false};
    std::thread writer([&] {
        for (std::uint64_t i = 1; !stop; ++i) cell->write(Entry::of(i));
    });
    std::uint64_t last = 0;
    for (int reads = 0; reads < 20'000;) {
        const auto entry = cell->read();
        if (!entry) continue;  // not yet, or thwarted again and again
        ++reads;
        ASSERT_TRUE(entry->whole());
        ASSERT_GE(entry->words[0], last) << "it goes back";
        last = entry->words[0];
    }
    stop = true;
    writer.join();
}

TEST(SharedRecord, keeps_the_record_before_when_its_writer_is_killed_in_the_middle) {
    void* memory =
        ::mmap(nullptr, sizeof(Cell), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    auto* cell = static_cast<Cell*>(memory);
    std::uint64_t last = 0;
    for (int round = 0; round < 100; ++round) {
        const pid_t writer = ::fork();
        if (writer == 0)
            for (std::uint64_t i = last + 1;; ++i) cell->write(Entry::of(i));
        EXPECT_TRUE(eventually([&] {
            const auto entry = cell->read();
            return entry && entry->words[0] > last + 100;
        }));
        ::kill(writer, SIGKILL);
        EXPECT_EQ(await_end(writer), -SIGKILL);
        const auto entry = cell->read();
        ASSERT_TRUE(entry);
        ASSERT_TRUE(entry->whole());
        last = entry->words[0];
    }
    ::munmap(memory, sizeof(Cell));
}

TEST(SharedRecord, shows_nothing_where_a_single_bit_is_wrong) {
    const auto cell = std::make_unique<Cell>();
    cell->write(Entry::of(1));
    cell->write(Entry::of(0x123456789abcdef0));
    auto* bytes = reinterpret_cast<unsigned char*>(cell.get());
    for (std::size_t i = 0; i < sizeof(Cell); ++i) {
        bytes[i] ^= 0x10U;
        const auto entry = cell->read();
        if (entry) {
            EXPECT_EQ(entry->words[0], 0x123456789abcdef0) << "byte " << i;
        }
        bytes[i] ^= 0x10U;
    }
    EXPECT_TRUE(cell->read());
}

TEST(BoundedText, is_cut_where_it_does_not_fit) {
    EXPECT_EQ(BoundedText<8>("").view(), "");
    EXPECT_EQ(BoundedText<8>("12345678").view(), "12345678");
    EXPECT_EQ(BoundedText<8>("123456789").view(), "12345...");
    EXPECT_EQ(BoundedText<8>(std::string_view("12\0"
                                              "45",
                                              5))
                  .view(),
              "12")
        << "as C has it";
}

}  // namespace
}  // namespace handover::test
