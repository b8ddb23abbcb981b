// SPDX-License-Identifier: MIT
#include "handover/ledger/event_log.h"

#include "handover/ledger/ledger.h"
#include "support/processes.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace handover::test {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds at_once{0};
constexpr milliseconds long_time{20'000};
constexpr std::uint64_t places = LedgerFormat::events_most;

ServiceEvent event(const std::string& text, ServiceEvent::Type what = ServiceEvent::Type::serving) {
    return {0, std::chrono::system_clock::now(), 7, ::getpid(), what, text};
}

std::vector<std::uint64_t> ids(const std::vector<ServiceEvent>& events) {
    std::vector<std::uint64_t> result;
    result.reserve(events.size());
    for (const auto& one : events) result.push_back(one.id);
    return result;
}

class EventLogTest : public testing::Test {
  protected:
    const std::unique_ptr<LedgerFormat> page_ = std::make_unique<LedgerFormat>();
    const EventLog event_log_{*page_};
};

TEST_F(EventLogTest, are_numbered_from_1_and_told_as_they_were_written) {
    EXPECT_EQ(event_log_.last(), 0U);
    EXPECT_TRUE(event_log_.await(0, at_once).empty());
    for (const auto what : all_service_event_types) event_log_.append(event("text", what));
    const auto all = event_log_.await(0, at_once);
    ASSERT_EQ(all.size(), all_service_event_types.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(all[i].id, i + 1);
        EXPECT_EQ(all[i].type, all_service_event_types.at(i));
        EXPECT_EQ(all[i].text, "text");
        EXPECT_EQ(all[i].generation, 7U);
        EXPECT_EQ(all[i].pid, ::getpid());
    }
    EXPECT_EQ(ids(event_log_.await(9, at_once)), (std::vector<std::uint64_t>{10, 11}));
    EXPECT_TRUE(event_log_.await(11, at_once).empty());
}

TEST_F(EventLogTest, text_of_a_stranger_is_made_printable_and_cut) {
    event_log_.append(event("\x1b[31mred\n" + std::string(1000, 'x')));
    const auto text = event_log_.await(0, at_once).at(0).text;
    EXPECT_TRUE(text.starts_with("\\x1b[31mred\\x0axxx")) << text;
    EXPECT_TRUE(text.ends_with("x...")) << text;
    EXPECT_LT(text.size(), 300U);
}

TEST_F(EventLogTest, last_128_are_remembered) {
    for (int i = 1; i <= 300; ++i) event_log_.append(event(std::to_string(i)));
    const auto all = event_log_.await(5, at_once);
    ASSERT_EQ(all.size(), places);
    EXPECT_EQ(all.front().id, 300 - places + 1);
    EXPECT_EQ(all.back().text, "300");
}

TEST_F(EventLogTest, all_are_told_to_who_knows_an_id_of_another_ledger) {
    for (int i = 1; i <= 3; ++i) event_log_.append(event(std::to_string(i)));
    EXPECT_EQ(ids(event_log_.await(4711, at_once)), (std::vector<std::uint64_t>{1, 2, 3}));
    EXPECT_EQ(event_log_.await(~0ULL, at_once).size(), 3U);
}

TEST_F(EventLogTest, one_that_is_being_written_is_waited_for) {
    event_log_.append(event("first"));
    page_->events[2].claim = 2U << 2U | 1U;  // another writer has come so far
    event_log_.append(event("third"));
    EXPECT_EQ(ids(event_log_.await(0, at_once)), std::vector<std::uint64_t>{1});
    EXPECT_TRUE(event_log_.await(1, at_once).empty()) << "the third must not come first";
    page_->events[2].record.write({2, 0, 7, 1, 0, BoundedText<256>("second"), {}});
    page_->events[2].claim = 2U << 2U | 2U;
    EXPECT_EQ(ids(event_log_.await(1, at_once)), (std::vector<std::uint64_t>{2, 3}));
}

TEST_F(EventLogTest, one_whose_writer_has_died_is_given_up_after_a_moment) {
    page_->events[1].claim = 1U << 2U | 1U;
    event_log_.append(event("second"));
    EXPECT_TRUE(event_log_.await(0, milliseconds(100)).empty());
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(ids(event_log_.await(0, long_time)), std::vector<std::uint64_t>{2});
    EXPECT_LT(std::chrono::steady_clock::now() - begun, long_time / 2);
    EXPECT_EQ(ids(event_log_.await(0, at_once)), std::vector<std::uint64_t>{2}) << "for good";
}

TEST_F(EventLogTest, id_that_a_dead_writer_has_claimed_and_not_counted_is_not_given_again) {
    page_->events[1].claim = 1U << 2U | 1U;
    EXPECT_EQ(event_log_.last(), 1U);
    event_log_.append(event("second"));
    EXPECT_EQ(event_log_.last(), 2U);
}

/// The worst case, again and again: a writer finds itself given up. As each costs an id, there are
/// no more in a round than are remembered.
TEST_F(EventLogTest, none_is_lost_and_none_comes_twice_when_writers_are_given_up) {
    std::atomic<bool> stop{false};
    std::atomic<int> left{0};
    std::atomic<int> given_up{0};
    std::thread hasty([&] {
        while (!stop)
            for (auto& place : page_->events) {
                auto claim = place.claim.load();
                if ((claim & 3U) != 1U || left <= 0) continue;
                if (!place.claim.compare_exchange_strong(claim, claim | 3U)) continue;
                --left;
                ++given_up;
            }
    });
    std::multiset<std::string> written;
    std::multiset<std::string> read;
    std::uint64_t seen = 0;
    for (int round = 0; round < 200; ++round) {
        std::vector<std::thread> writers;
        left = 20;
        for (int i = 0; i < 4; ++i) {
            const auto text = std::to_string(round) + "." + std::to_string(i);
            written.insert(text);
            writers.emplace_back([this, text] { event_log_.append(event(text)); });
        }
        for (auto& writer : writers) writer.join();
        for (const auto& one : event_log_.await(seen, at_once)) {
            EXPECT_GT(one.id, seen);
            seen = one.id;
            read.insert(one.text);
        }
    }
    stop = true;
    hasty.join();
    EXPECT_EQ(read, written);
    EXPECT_GT(given_up, 0);
}

TEST_F(EventLogTest, nothing_in_the_page_makes_reader_or_writer_fail) {
    for (unsigned seed = 0; seed < 200; ++seed) {
        std::mt19937_64 random(seed);
        auto* words = reinterpret_cast<std::uint64_t*>(page_.get());
        for (std::size_t i = 0; i < sizeof(LedgerFormat) / 8; ++i)
            words[i] = seed % 2 == 0 ? random() : random() % 1000;
        event_log_.append(event("after"));
        std::uint64_t last = 0;
        for (const auto& one : event_log_.await(0, at_once)) {
            EXPECT_GT(one.id, last);
            last = one.id;
        }
    }
}

TEST(EventLog, wake_who_waits_in_another_process_and_go_on_in_the_next_one) {
    const Ledger ledger;
    ledger.registry().event_log().append(event("here"));
    const pid_t child = ::fork();
    if (child == 0) {
        const auto adopted = Ledger::adopt(UniqueFd(::fcntl(ledger.fd(), F_DUPFD_CLOEXEC, 3)));
        if (!adopted) ::_exit(1);
        const auto found = adopted->registry().event_log().await(1, long_time);
        adopted->registry().event_log().append(event("there"));
        ::_exit(found.size() == 1 && found[0].id == 2 ? 0 : 2);
    }
    ASSERT_TRUE(eventually([&] { return ProcessView{child}.is_sleeping(); }));
    const auto begun = std::chrono::steady_clock::now();
    ledger.registry().event_log().append(event("here again"));
    const auto answer = ledger.registry().event_log().await(2, long_time);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, long_time / 2) << "nobody was woken";
    ASSERT_EQ(ids(answer), std::vector<std::uint64_t>{3});
    EXPECT_EQ(answer[0].text, "there");
    EXPECT_EQ(answer[0].pid, child);
    EXPECT_EQ(await_end(child), 0);
}

}  // namespace
}  // namespace handover::test
