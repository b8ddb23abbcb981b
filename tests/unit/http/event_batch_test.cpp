// SPDX-License-Identifier: MIT
#include "http/event_batch.h"

#include "handover/unique_fd.h"
#include "support/pass_time.h"

#include <gtest/gtest.h>

#include <sys/eventfd.h>

#include <chrono>
#include <cstdint>
#include <vector>

namespace handover::http {
namespace {

/// An epoll instance with more to report than any batch holds, again and again.
class EventBatchTest : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(epoll_);
        for (std::size_t i = 0; i < 100; ++i) {
            UniqueFd& fd = events_.emplace_back(::eventfd(1, EFD_CLOEXEC));
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.u64 = i;
            ASSERT_EQ(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event), 0);
        }
    }

    /// Waits and looks at all; how many they were.
    std::size_t take_all() {
        EXPECT_TRUE(batch_.wait(epoll_.get()));
        std::size_t count = 0;
        while (batch_.next()) ++count;
        return count;
    }
    /// Like somebody whose requests take no time.
    bool grows_beyond(std::size_t size) {
        for (int i = 0; i < 1000; ++i)
            if (take_all() > size) return true;
        return false;
    }

    UniqueFd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
    std::vector<UniqueFd> events_;
    EventBatch batch_;
};

TEST_F(EventBatchTest, begins_with_one_event) {
    ASSERT_TRUE(batch_.wait(epoll_.get()));
    EXPECT_FALSE(batch_.several());
    EXPECT_FALSE(batch_.empty());
    EXPECT_TRUE(batch_.next());
    EXPECT_TRUE(batch_.empty());
    EXPECT_FALSE(batch_.next());
}

TEST_F(EventBatchTest, takes_more_while_they_cost_little_time) {
    EXPECT_TRUE(grows_beyond(8));
    EXPECT_TRUE(batch_.several());
}

TEST_F(EventBatchTest, takes_one_after_a_slow_batch) {
    ASSERT_TRUE(grows_beyond(8));
    ASSERT_TRUE(batch_.wait(epoll_.get()));
    (void)batch_.next();
    test::pass_time(std::chrono::milliseconds(20));
    while (batch_.next()) continue;
    EXPECT_EQ(take_all(), 1U);
}

TEST_F(EventBatchTest, can_have_its_rest_taken_away) {
    ASSERT_TRUE(grows_beyond(8));
    ASSERT_TRUE(batch_.wait(epoll_.get()));
    const auto first = batch_.next();
    ASSERT_TRUE(first);
    EXPECT_TRUE(batch_.take_rest(Clock::now() - std::chrono::hours(1)).empty()) << "not so soon";
    const auto rest = batch_.take_rest(Clock::now());
    EXPECT_GE(rest.size(), 1U);
    for (const auto& event : rest)  // copies: the structure is packed
        EXPECT_NE(std::uint64_t{event.data.u64}, std::uint64_t{first->data.u64});
    EXPECT_TRUE(batch_.empty());
    EXPECT_FALSE(batch_.next());
    EXPECT_TRUE(batch_.take_rest(Clock::now()).empty());
}

}  // namespace
}  // namespace handover::http
