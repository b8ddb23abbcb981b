// SPDX-License-Identifier: MIT
// The successor is child_program, which says and does what the test wants.

#include "handover/peer/successor_link.h"

#include "handover/error.h"
#include "support/listening.h"
#include "support/open_descriptors.h"
#include "support/subreaper.h"
#include "unit/handover/test_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace handover::test {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;

Program successor_that(std::vector<std::string> arguments) {
    Program program;
    program.executable = CHILD_PROGRAM;
    program.arguments = std::move(arguments);
    program.arguments.insert(program.arguments.begin(), CHILD_PROGRAM);
    program.directory = "/";
    ::sigemptyset(&program.signal_mask);
    return program;
}

Message our_hello() {
    Message hello;
    hello.fields = {{Message::Tag::protocol, "1"}, {Message::Tag::generation, "7"}};
    return hello;
}

class SuccessorLinkTest : public testing::Test {
  protected:
    ~SuccessorLinkTest() override {
        attempt_.reset();
        while (::waitpid(-1, nullptr, 0) > 0) continue;  // those that were released or killed
        EXPECT_FALSE(Subreaper::has_children());
        loop_.reset();
        EXPECT_EQ(open_descriptors(), before_);
    }

    void begin(std::vector<std::string> arguments, milliseconds ready_timeout = test::timeout) {
        attempt_->begin(successor_that(std::move(arguments)), {}, our_hello(), ready_timeout);
    }

    /// Each callback as a line; the loop stops at the first failure.
    SuccessorLink::Callbacks recording() {
        return {.on_ready =
                    [this] {
                        told_.emplace_back("ready");
                        if (when_ready_) when_ready_();
                    },
                .on_failed =
                    [this](const std::string& reason) {
                        told_.push_back(reason);
                        loop_->stop();
                    },
                .on_promotion_wanted =
                    [this] {
                        told_.emplace_back("promotion wanted");
                        loop_->stop();
                    },
                .on_stopping = [this] { told_.emplace_back("stopping"); }};
    }

    const Subreaper subreaper_;
    const std::set<int> before_ = open_descriptors();
    std::optional<TestLoop> loop_{std::in_place};
    std::function<void()> when_ready_;
    std::vector<std::string> told_;
    std::optional<SuccessorLink> attempt_{std::in_place, *loop_, recording()};
};

TEST_F(SuccessorLinkTest, hears_that_the_successor_is_ready_and_who_it_is) {
    when_ready_ = [this] { loop_->stop(); };
    begin({"succeed", "well"});
    loop_->run_to_the_end();
    EXPECT_THAT(told_, ElementsAre("ready"));
    EXPECT_EQ(attempt_->peer().generation, 8U);
    EXPECT_EQ(attempt_->peer().version, "2.0 (test)");
    EXPECT_EQ(attempt_->peer().build_id, "c0ffee");
    EXPECT_GT(attempt_->pid(), 0);
    EXPECT_GE(attempt_->age().count(), 0);
}

TEST_F(SuccessorLinkTest, says_go_and_hears_the_end_after_it) {
    when_ready_ = [this] { attempt_->say_go(); };
    begin({"succeed", "well"});
    loop_->run_to_the_end();
    EXPECT_THAT(told_, ElementsAre("ready",
                                   MatchesRegex("the successor \\(pid [0-9]+\\) exited with status "
                                                "42 after [0-9]+ ms")));
}

TEST_F(SuccessorLinkTest, hears_ready_once_however_often_it_is_said) {
    when_ready_ = [this] { attempt_->say_go(); };
    begin({"succeed", "ready-twice"});
    loop_->run_to_the_end();
    ASSERT_EQ(told_.size(), 2U);
    EXPECT_EQ(told_[0], "ready");
}

TEST_F(SuccessorLinkTest, hears_that_a_ready_successor_ended) {
    begin({"succeed", "ready-and-gone"});
    loop_->run_to_the_end();
    EXPECT_THAT(told_, ElementsAre("ready", MatchesRegex(".* exited with status 3 after .* ms")));
}

TEST_F(SuccessorLinkTest, hears_why_the_successor_does_not_start) {
    begin({"succeed", "failed"});
    loop_->run_to_the_end();
    EXPECT_THAT(told_, ElementsAre(MatchesRegex("the successor \\(pid [0-9]+\\) refused to start: "
                                                "the disk is full")));
}

// Its hello is not read then, so the kernel says "connection reset" before it gives the reason.
TEST_F(SuccessorLinkTest, hears_why_also_from_one_that_refuses_at_once) {
    for (int round = 0; round < 10; ++round) {
        told_.clear();
        attempt_.emplace(*loop_, recording());
        begin({"succeed", "refusing-at-once"});
        loop_->run_to_the_end();
        EXPECT_THAT(told_, ElementsAre(MatchesRegex("the successor .* refused to start: no such "
                                                    "option '--frobnicate'")));
        attempt_.reset();
        loop_.emplace();
        attempt_.emplace(*loop_, recording());
    }
}

TEST_F(SuccessorLinkTest, hears_that_the_successor_does_not_speak_the_protocol) {
    begin({"succeed", "garbage"});
    loop_->run_to_the_end();
    EXPECT_THAT(told_, ElementsAre(MatchesRegex("the successor \\(pid [0-9]+\\) sent what is not a "
                                                "message of this protocol")));
}

TEST_F(SuccessorLinkTest, hears_nothing_from_another_process_that_has_the_channel) {
    begin({"succeed", "stranger-and-gone"});
    loop_->run_to_the_end();
    EXPECT_THAT(told_, ElementsAre(MatchesRegex("the successor .* exited with status 7 after .* "
                                                "ms, before it was ready")));
    EXPECT_EQ(attempt_->peer().generation, 0U);
}

TEST_F(SuccessorLinkTest, hears_the_successor_after_another_process_that_has_the_channel) {
    begin({"succeed", "stranger-first"});
    loop_->run_to_the_end();
    EXPECT_THAT(told_, ElementsAre("ready", MatchesRegex(".* exited with status 3 after .* ms")));
    EXPECT_EQ(attempt_->peer().generation, 8U);
}

TEST_F(SuccessorLinkTest, hears_that_the_successor_exited) {
    begin({"exit", "1"});
    loop_->run_to_the_end();
    EXPECT_THAT(told_, ElementsAre(MatchesRegex("the successor \\(pid [0-9]+\\) exited with status "
                                                "1 after [0-9]+ ms, before it was ready")));
}

TEST_F(SuccessorLinkTest, hears_that_the_successor_exited_as_if_all_were_well) {
    begin({"exit", "0"});
    loop_->run_to_the_end();
    EXPECT_THAT(told_, ElementsAre(MatchesRegex(".* exited with status 0 after .* before .*")));
}

TEST_F(SuccessorLinkTest, hears_that_the_successor_died_of_a_signal) {
    begin({"die", std::to_string(SIGSEGV)});
    loop_->run_to_the_end();
    EXPECT_THAT(told_, ElementsAre(MatchesRegex("the successor \\(pid [0-9]+\\) died of SIGSEGV "
                                                "after [0-9]+ ms, before it was ready")));
}

TEST_F(SuccessorLinkTest, hears_that_the_successor_takes_too_long) {
    begin({"succeed", "hanging"}, milliseconds(200));
    const auto pid = attempt_->pid();
    loop_->run_to_the_end();
    EXPECT_THAT(told_, ElementsAre("the successor (pid " + std::to_string(pid) +
                                   ") was not ready within 200 ms"));
    attempt_->kill();
}

TEST_F(SuccessorLinkTest, does_not_time_out_a_successor_that_is_ready) {
    Timer end(*loop_, [this] { loop_->stop(); });
    when_ready_ = [&end] { end.start_once(milliseconds(600)); };
    begin({"succeed", "well"}, milliseconds(500));
    loop_->run_to_the_end();
    // On a machine too slow for 500 ms it was late indeed; nothing else may have been said.
    if (told_ != std::vector<std::string>{"ready"}) {
        EXPECT_THAT(told_, ElementsAre(MatchesRegex(".* was not ready within 500 ms")));
    }
}

TEST_F(SuccessorLinkTest, tells_of_one_failure_once) {
    Timer end(*loop_, [this] { loop_->stop(); });
    attempt_.emplace(*loop_, SuccessorLink::Callbacks{.on_ready = [] {},
                                                      .on_failed =
                                                          [&](const std::string& reason) {
                                                              told_.push_back(reason);
                                                              attempt_->kill();
                                                              end.start_once(milliseconds(50));
                                                          }});
    begin({"succeed", "failed"});
    loop_->run_to_the_end();
    EXPECT_EQ(told_.size(), 1U) << "that it died then is no news";
}

// ---- probation

TEST_F(SuccessorLinkTest, hears_that_the_successor_wants_to_be_the_main_process) {
    when_ready_ = [this] { attempt_->say_go(); };
    begin({"succeed", "wanting-promotion"});
    loop_->run_to_the_end();
    EXPECT_THAT(told_, ElementsAre("ready", "promotion wanted"));
}

TEST_F(SuccessorLinkTest, tells_the_successor_that_it_is_the_main_process) {
    bool told = false;
    when_ready_ = [&] {
        attempt_->say_go();
        attempt_->say_promoted([&told] { told = true; });
    };
    begin({"succeed", "on-probation"});
    loop_->run_to_the_end();
    EXPECT_TRUE(told);
    EXPECT_THAT(told_, ElementsAre("ready", MatchesRegex(".* exited with status 43 after .* ms")));
}

TEST_F(SuccessorLinkTest, tells_it_as_soon_as_the_channel_has_room) {
    const auto fill = [](const Channel& channel) {
        while (channel.send(Message::failed(std::string(30'000, 'x'))) == Channel::Sent::sent)
            continue;
    };
    bool told = false;
    when_ready_ = [&] {
        attempt_->say_go();
        // Before it is up again to read, our end is full.
        attempt_->signal(SIGSTOP);
        fill(attempt_->take_channel());
        attempt_->say_promoted([&told] { told = true; });
        attempt_->signal(SIGCONT);
    };
    begin({"succeed", "on-probation"});
    loop_->run_to_the_end();
    EXPECT_TRUE(told);
    EXPECT_THAT(told_, ElementsAre("ready", MatchesRegex(".* exited with status 43 after .* ms")));
}

TEST_F(SuccessorLinkTest, hears_that_the_successor_is_well) {
    when_ready_ = [this] {
        attempt_->say_go();
        attempt_->check_health([this] {
            told_.emplace_back("well");
            loop_->stop();
        });
    };
    begin({"succeed", "well-on-probation"});
    loop_->run_to_the_end();
    EXPECT_THAT(told_, ElementsAre("ready", "well"));
}

TEST_F(SuccessorLinkTest, hears_that_a_successor_does_not_say_that_it_is_well) {
    when_ready_ = [this] {
        attempt_->say_go();
        attempt_->check_health([] { ADD_FAILURE() << "it is not"; });
    };
    begin({"succeed", "on-probation"}, milliseconds(200));
    loop_->run_to_the_end();
    EXPECT_THAT(told_.back(), MatchesRegex(".* did not say that it is well within 200 ms"));
}

TEST_F(SuccessorLinkTest, hears_of_a_stop_before_it_hears_of_the_end) {
    when_ready_ = [this] { attempt_->say_go(); };
    begin({"succeed", "stopping"});
    loop_->run_to_the_end();
    EXPECT_THAT(told_, ElementsAre("ready", "stopping", MatchesRegex(".* status 42 .*")));
}

TEST_F(SuccessorLinkTest, has_what_a_dead_successor_never_read) {
    when_ready_ = [this] {
        const auto channel = attempt_->take_channel();
        attempt_->say_go();
        for (const auto* reason : {"first", "second"})
            EXPECT_EQ(channel.send(Message::failed(reason)), Channel::Sent::sent);
    };
    begin({"succeed", "unread"});
    loop_->run_to_the_end();
    ASSERT_EQ(told_.size(), 2U);
    std::vector<std::string> reasons;
    for (const auto& message : attempt_->take_unread())
        reasons.emplace_back(message.field(Message::Tag::reason));
    EXPECT_THAT(reasons, ElementsAre("first", "second"));
    EXPECT_TRUE(attempt_->take_unread().empty());
}

TEST_F(SuccessorLinkTest, throws_when_it_cannot_be_started_and_calls_nobody) {
    auto missing = successor_that({});
    missing.executable = "/nonexistent/program";
    const auto before = open_descriptors();
    try {
        attempt_->begin(missing, {}, our_hello(), milliseconds(1));
        ADD_FAILURE() << "nothing thrown";
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "exec /nonexistent/program: No such file or directory");
    }
    EXPECT_EQ(open_descriptors(), before);
    EXPECT_EQ(attempt_->pid(), -1);
    Timer end(*loop_, [this] { loop_->stop(); });
    end.start_once(milliseconds(20));
    loop_->run_to_the_end();
    EXPECT_THAT(told_, IsEmpty());
}

TEST_F(SuccessorLinkTest, passes_listeners_besides_its_channel) {
    const ListeningSocket http("127.0.0.1:0");
    when_ready_ = [this] { loop_->stop(); };
    attempt_->begin(successor_that({"succeed", "well"}), {{"http", http.fd()}}, our_hello(),
                    test::timeout);
    loop_->run_to_the_end();
    EXPECT_THAT(told_, ElementsAre("ready")) << "it found its channel by its name";
}

TEST_F(SuccessorLinkTest, kills_the_successor_with_the_object) {
    when_ready_ = [this] { loop_->stop(); };
    begin({"succeed", "well"});
    loop_->run_to_the_end();
    const auto pid = attempt_->pid();
    attempt_.reset();
    // Its parent may have reaped it before us.
    const auto status = Subreaper::reap(pid);
    EXPECT_TRUE(!status || WTERMSIG(*status) == SIGKILL);
    EXPECT_EQ(::kill(pid, 0), -1) << "still alive";
}

TEST_F(SuccessorLinkTest, lets_a_released_successor_live) {
    when_ready_ = [this] {
        attempt_->release();
        EXPECT_EQ(parent_of(attempt_->pid()), ::getpid());
        attempt_->say_go();
        loop_->stop();
    };
    begin({"succeed", "well"});
    loop_->run_to_the_end();
    const auto pid = attempt_->pid();
    attempt_.reset();
    const auto status = Subreaper::reap(pid);
    ASSERT_TRUE(status);
    EXPECT_EQ(WEXITSTATUS(*status), 42) << "it has heard go, and was not killed";
}

}  // namespace
}  // namespace handover::test
