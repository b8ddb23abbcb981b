// SPDX-License-Identifier: MIT
// Who logs does not wait for whoever writes the log.
#include "handoverd/log/log_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <future>
#include <string>
#include <vector>

namespace handoverd {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

/// A place to which one writes, that can be full.
class Place {
  public:
    void write(const LogEntry& entry) {
        began_.set_value();
        began_ = {};
        opened_.wait();
        written_.push_back(entry.text);
    }
    LogQueue::Write writer() {
        return [this](const LogEntry& entry) { write(entry); };
    }
    void await_write() { EXPECT_EQ(first_.wait_for(seconds(20)), std::future_status::ready); }
    void open() { open_.set_value(); }
    [[nodiscard]] const std::vector<std::string>& written() const { return written_; }

  private:
    std::promise<void> open_;
    std::shared_future<void> opened_ = open_.get_future().share();
    std::promise<void> began_;
    std::future<void> first_ = began_.get_future();
    std::vector<std::string> written_;
};

LogEntry entry(const std::string& text) {
    return {handover::Report::Severity::info, text};
}

TEST(LogQueue, writes_in_the_order_in_which_it_is_told) {
    Place place;
    place.open();
    LogQueue queue(10, place.writer());
    for (const auto* text : {"a", "b", "c"}) queue.post(entry(text));
    EXPECT_TRUE(queue.flush(seconds(20)));
    EXPECT_THAT(place.written(), ElementsAre("a", "b", "c"));
}

TEST(LogQueue, lets_nobody_wait_and_tells_how_much_was_lost) {
    Place place;
    LogQueue queue(2, place.writer());
    queue.post(entry("a"));
    place.await_write();
    for (const auto* text : {"b", "c", "d", "e"}) queue.post(entry(text));
    EXPECT_FALSE(queue.flush(milliseconds(1))) << "it has written while nothing is taken";
    place.open();
    EXPECT_TRUE(queue.flush(seconds(20)));
    EXPECT_THAT(place.written(),
                ElementsAre("a", "b", "c",
                            "2 lines of the log went missing: they are not taken as fast as they "
                            "come"));
}

TEST(LogQueue, writes_its_last_words) {
    Place place;
    place.open();
    {
        LogQueue queue(1000, place.writer());
        for (int i = 0; i < 1000; ++i) queue.post(entry("a"));
    }
    EXPECT_EQ(place.written().size(), 1000U);
}

TEST(LogQueue, takes_no_signal_of_the_program) {
    std::promise<bool> taken;
    auto blocked = taken.get_future();
    LogQueue queue(1, [&taken](const LogEntry&) {
        sigset_t mask;
        ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
        taken.set_value(::sigismember(&mask, SIGTERM) == 1 && ::sigismember(&mask, SIGUSR2) == 1);
    });
    queue.post(entry("a"));
    EXPECT_TRUE(blocked.get());
    sigset_t mask;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    EXPECT_EQ(::sigismember(&mask, SIGTERM), 0) << "who logs gets no signals any more";
}

}  // namespace
}  // namespace handoverd
