// SPDX-License-Identifier: MIT
// What is seen from outside is tested with the whole engine, by blocked handlers.
#include "handover/unique_fd.h"
#include "http/workers.h"

#include <gtest/gtest.h>

#include <sys/eventfd.h>

#include <vector>

namespace handover::http {
namespace {

TEST(Workers, are_to_be_watched_when_one_has_taken_several_events_though_others_are_free) {
    const UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
    std::vector<UniqueFd> ready;
    for (int i = 0; i < 2; ++i) {
        ready.emplace_back(::eventfd(1, EFD_CLOEXEC));
        epoll_event event{};
        event.events = EPOLLIN;
        ASSERT_EQ(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, ready.back().get(), &event), 0);
    }
    int watched = 0;
    Workers workers(2, 2, {[](Workers::Seat&) {}, [&] { ++watched; }, {}, {}});
    Workers::Seat seat;
    const auto take_batch = [&] {
        EXPECT_TRUE(seat.events.wait(epoll.get()));
        workers.begin(seat);
        while (seat.events.next()) continue;
        EXPECT_TRUE(workers.end(seat));
    };
    take_batch();
    EXPECT_EQ(watched, 0) << "of one event";
    for (int i = 0; i < 1000 && !seat.events.several(); ++i) take_batch();
    EXPECT_EQ(watched, 1);
}

}  // namespace
}  // namespace handover::http
