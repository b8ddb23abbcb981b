// SPDX-License-Identifier: MIT
// The successor is child_program, which says and does what the test wants.
#include "handover/generation/handover.h"

#include "handover/error.h"
#include "support/open_descriptors.h"
#include "support/scoped_environment.h"
#include "support/subreaper.h"
#include "unit/handover/test_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace handover::test {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

class HandoverTest : public testing::Test {
  protected:
    ~HandoverTest() override {
        handover_.reset();
        while (::waitpid(-1, nullptr, 0) > 0) continue;
        EXPECT_FALSE(Subreaper::has_children());
        loop_.reset();
        EXPECT_EQ(open_descriptors(), before_);
    }

    Handover::Requester requester(const std::string& name) {
        return [this, name](const HandoverResult& result) {
            told_.push_back(name + ": " + result.reason);
        };
    }

    static HandoverResult failure(const std::string& reason) {
        HandoverResult result;
        result.reason = reason;
        return result;
    }

    /// Each callback as a line.
    Handover::Callbacks recording() {
        return {.of_successor = {.on_ready = [this] { hear("ready"); },
                                 .on_failed = [this](const std::string&) { hear("failed"); },
                                 .on_promotion_wanted = [this] { hear("promotion wanted"); }},
                .on_probation_passed = [this] { hear("probation passed"); }};
    }
    void hear(const std::string& what) {
        told_.push_back(what);
        if (on_heard_) on_heard_();
        loop_->stop();
    }

    void begin(std::vector<std::string> arguments, const std::string& executable = CHILD_PROGRAM) {
        Program program;
        program.executable = executable;
        program.arguments = std::move(arguments);
        program.arguments.insert(program.arguments.begin(), executable);
        program.directory = "/";
        ::sigemptyset(&program.signal_mask);
        handover_->begin(recording(), program, {}, Message::of(Message::Type::hello), timeout);
    }

    /// Turns the loop until all that is on its way now has been called.
    void settle() {
        Timer later(*loop_, [this] { loop_->stop(); });
        later.start_once(milliseconds(20));
        loop_->run_to_the_end();
    }

    const Subreaper subreaper_;
    const ScopedEnvironment notify_{"NOTIFY_SOCKET", std::nullopt};
    const std::set<int> before_ = open_descriptors();
    const ServiceManager manager_;
    std::optional<TestLoop> loop_{std::in_place};
    std::vector<std::string> told_;
    std::function<void()> on_heard_;
    std::optional<Handover> handover_{std::in_place, *loop_, manager_,
                                      std::vector{requester("first"), requester("second")}};
};

TEST_F(HandoverTest, answers_each_who_asked_once) {
    const auto result = failure("no");
    handover_->answer(result);
    handover_->answer(result);
    EXPECT_THAT(told_, ElementsAre("first: no", "second: no"));
}

TEST_F(HandoverTest, whose_program_is_missing_throws_and_can_still_be_ended_and_answered) {
    EXPECT_THROW(begin({}, "/nonexistent"), Error);
    handover_->fail("it is missing");
    handover_->stop_waiting();
    handover_->close();
    handover_->answer(failure(handover_->failure()));
    EXPECT_THAT(told_, ElementsAre("first: it is missing", "second: it is missing"));
}

TEST_F(HandoverTest, that_never_began_can_be_ended) {
    EXPECT_FALSE(handover_->has_successor());
    handover_->stop_waiting();
    handover_->close();
}

TEST_F(HandoverTest, tells_the_end_of_the_probation) {
    begin({"succeed", "well"});
    loop_->run_to_the_end();
    ASSERT_THAT(told_, ElementsAre("ready"));
    handover_->start_probation(milliseconds(1));
    loop_->run_to_the_end();
    EXPECT_THAT(told_, ElementsAre("ready", "probation passed"));
}

TEST_F(HandoverTest, waits_neither_for_the_probation_nor_for_the_manager_once_it_is_told_not_to) {
    begin({"succeed", "well"});
    loop_->run_to_the_end();
    handover_->start_probation(milliseconds(1));
    handover_->await_manager([this] { hear("manager"); });
    handover_->stop_waiting();
    settle();
    EXPECT_THAT(told_, ElementsAre("ready"));
}

TEST_F(HandoverTest, does_not_wait_for_a_manager_that_is_not_there) {
    begin({"succeed", "well"});
    loop_->run_to_the_end();
    handover_->await_manager([this] { hear("manager"); });
    EXPECT_THAT(told_, ElementsAre("ready")) << "not before the loop turns";
    loop_->run_to_the_end();
    EXPECT_THAT(told_, ElementsAre("ready", "manager"));
}

TEST_F(HandoverTest, calls_back_no_more_when_it_is_over_though_the_successor_ends) {
    on_heard_ = [this] {
        handover_->start_probation(milliseconds(1));
        handover_->close();
        handover_->successor().kill();
    };
    begin({"succeed", "well"});
    loop_->run_to_the_end();
    settle();
    EXPECT_THAT(told_, ElementsAre("ready"));
    EXPECT_TRUE(handover_->successor().has_ended());
}

}  // namespace
}  // namespace handover::test
