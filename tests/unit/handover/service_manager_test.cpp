// SPDX-License-Identifier: MIT
#include "handover/systemd/service_manager.h"

#include "handover/base/descriptor.h"
#include "support/descriptor_limit.h"
#include "support/fake_service_manager.h"
#include "support/listening.h"
#include "support/open_descriptors.h"
#include "support/pipe.h"
#include "support/scoped_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <chrono>
#include <string>

namespace handover::test {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

class ServiceManagerTest : public testing::Test {
  protected:
    /// The text of the only message that has come.
    std::string only_message() {
        const auto messages = fake_.messages();
        EXPECT_EQ(messages.size(), 1U);
        return messages.empty() ? "" : messages.front().text;
    }

    FakeServiceManager fake_;
    const ScopedEnvironment notify_{"NOTIFY_SOCKET", fake_.address()};
    const ScopedEnvironment fdstore_{"FDSTORE", std::nullopt};
    const ScopedEnvironment watchdog_pid_{"WATCHDOG_PID", std::nullopt};
    const ScopedEnvironment watchdog_usec_{"WATCHDOG_USEC", std::nullopt};
};

TEST_F(ServiceManagerTest, hears_of_us_when_there_is_no_descriptor_left) {
    const ServiceManager manager;
    for (int time = 0; time < 2; ++time) {
        {
            const UniqueFd next(::dup(0));
            const DescriptorLimit limit(static_cast<rlim_t>(next.get()));
            // The highest one there may be from here on is the one in reserve.
            manager.ready("as ever");
        }
        EXPECT_EQ(only_message(), "READY=1\nSTATUS=as ever");
        fake_.forget_messages();
    }
}

TEST_F(ServiceManagerTest, is_present_when_it_listens) {
    const ServiceManager manager;
    EXPECT_TRUE(manager.present());
    EXPECT_STREQ(std::getenv("NOTIFY_SOCKET"), fake_.address().c_str())
        << "left in place for the successor";
}

TEST_F(ServiceManagerTest, hears_ready_with_one_sentence) {
    const ServiceManager manager;
    manager.ready("serves http on [::]:9999");
    EXPECT_EQ(only_message(), "READY=1\nSTATUS=serves http on [::]:9999");
    EXPECT_EQ(fake_.messages().front().sender, ::getpid());
}

TEST_F(ServiceManagerTest, hears_when_a_reload_began) {
    const ServiceManager manager;
    const auto now_us = [] {
        return std::chrono::duration_cast<microseconds>(
                   std::chrono::steady_clock::now().time_since_epoch())
            .count();
    };
    const auto before = now_us();
    manager.reloading("starts its successor");
    const auto after = now_us();
    const auto message = fake_.wait_for_message_saying("RELOADING=1");
    ASSERT_TRUE(message);
    EXPECT_TRUE(message->says("STATUS=starts its successor"));
    const auto told = std::stoll(message->value("MONOTONIC_USEC").value_or("0"));
    EXPECT_GE(told, before);
    EXPECT_LE(told, after);
}

TEST_F(ServiceManagerTest, hears_stopping) {
    const ServiceManager manager;
    manager.stopping("3 connections open");
    EXPECT_EQ(only_message(), "STOPPING=1\nSTATUS=3 connections open");
}

TEST_F(ServiceManagerTest, hears_of_its_new_main_process_in_one_message) {
    const ServiceManager manager;
    manager.hand_main_pid(812, "generation 2 takes over from 1");
    EXPECT_EQ(only_message(),
              "MAINPID=812\nREADY=1\nWATCHDOG=1\nSTATUS=generation 2 takes over from 1");
}

TEST_F(ServiceManagerTest, cannot_be_told_anything_by_a_sentence) {
    const ServiceManager manager;
    manager.status("two\nMAINPID=1\nlines\xff");
    EXPECT_EQ(only_message(), "STATUS=two\\x0aMAINPID=1\\x0alines\\xff");
}

TEST_F(ServiceManagerTest, is_asked_for_more_time) {
    const ServiceManager manager;
    manager.extend_timeout(seconds(5));
    EXPECT_EQ(only_message(), "EXTEND_TIMEOUT_USEC=5000000");
}

TEST_F(ServiceManagerTest, wants_the_watchdog_fed_twice_in_its_time) {
    const ScopedEnvironment usec("WATCHDOG_USEC", "3000000");
    const ScopedEnvironment pid("WATCHDOG_PID", std::to_string(::getpid()));
    const ServiceManager manager;
    EXPECT_EQ(manager.watchdog_interval(), microseconds(1'500'000));
    manager.watchdog();
    EXPECT_EQ(only_message(), "WATCHDOG=1");
}

TEST_F(ServiceManagerTest, wants_no_watchdog_fed_by_another_process) {
    const ScopedEnvironment usec("WATCHDOG_USEC", "3000000");
    const ScopedEnvironment pid("WATCHDOG_PID", "1");
    EXPECT_FALSE(ServiceManager().watchdog_interval());
}

TEST_F(ServiceManagerTest, wants_no_watchdog_fed_that_it_has_not_set) {
    EXPECT_FALSE(ServiceManager().watchdog_interval());
}

TEST_F(ServiceManagerTest, stores_a_duplicate_under_a_name) {
    const ServiceManager manager;
    const ListeningSocket listening("127.0.0.1:0");
    manager.store_fd(listening.fd(), "http");
    EXPECT_TRUE(is_open(listening.fd())) << "only borrowed";
    EXPECT_THAT(fake_.stored_names(), ElementsAre("http"));
    EXPECT_EQ(Descriptor::examine(fake_.stored("http").get()).cookie,
              Descriptor::examine(listening.fd()).cookie);
}

TEST_F(ServiceManagerTest, removes_every_entry_of_a_name) {
    const ServiceManager manager;
    const ListeningSocket one("127.0.0.1:0");
    const ListeningSocket other("127.0.0.1:0");
    const ListeningSocket admin("127.0.0.1:0");
    manager.store_fd(one.fd(), "http");
    manager.store_fd(other.fd(), "http");
    manager.store_fd(admin.fd(), "admin");
    manager.remove_fds("http");
    EXPECT_THAT(fake_.stored_names(), ElementsAre("admin"));
}

TEST_F(ServiceManagerTest, tells_how_much_its_store_takes) {
    EXPECT_FALSE(ServiceManager().fd_store_capacity()) << "before systemd 254";
    const ScopedEnvironment capacity("FDSTORE", "64");
    EXPECT_EQ(ServiceManager().fd_store_capacity(), 64U);
    for (const char* nonsense : {"", "many", "64 ", "-1", "99999999999999"}) {
        const ScopedEnvironment wrong("FDSTORE", nonsense);
        EXPECT_FALSE(ServiceManager().fd_store_capacity()) << nonsense;
    }
}

TEST_F(ServiceManagerTest, hangs_the_barrier_up_when_all_before_it_is_processed) {
    const ServiceManager manager;
    const ListeningSocket listening("127.0.0.1:0");
    manager.store_fd(listening.fd(), "http");
    const auto barrier = manager.barrier();
    ASSERT_TRUE(barrier);
    EXPECT_TRUE(is_cloexec(barrier.get()));
    pollfd hangup{barrier.get(), POLLIN, 0};
    ASSERT_EQ(::poll(&hangup, 1, static_cast<int>(test::timeout.count())), 1);
    EXPECT_NE(hangup.revents & POLLHUP, 0);
    EXPECT_THAT(fake_.stored_names(), ElementsAre("http"));
    EXPECT_EQ(fake_.messages().back().text, "BARRIER=1");
}

TEST_F(ServiceManagerTest, hears_nothing_after_we_fell_silent_but_for_what_can_do_no_harm) {
    ServiceManager manager;
    manager.fall_silent();
    const ListeningSocket listening("127.0.0.1:0");
    manager.ready("x");
    manager.reloading("x");
    manager.stopping("x");
    manager.status("x");
    manager.hand_main_pid(1, "x");
    manager.extend_timeout(seconds(1));
    manager.watchdog();
    EXPECT_FALSE(manager.watchdog_interval());
    EXPECT_THAT(fake_.messages(), IsEmpty());
    manager.store_fd(listening.fd(), "channel");
    EXPECT_TRUE(manager.barrier());
    manager.remove_fds("channel");
    EXPECT_THAT(fake_.stored_names(), ElementsAre("channel"));
}

TEST_F(ServiceManagerTest, costs_no_descriptor) {
    const auto before = open_descriptors();
    {
        const ServiceManager manager;
        manager.ready("x");
        const auto barrier = manager.barrier();
        EXPECT_TRUE(wait_for_input(barrier.get()));
    }
    EXPECT_EQ(open_descriptors(), before);
}

TEST(NoServiceManager, is_a_silent_no_op) {
    const ScopedEnvironment notify("NOTIFY_SOCKET", std::nullopt);
    const ScopedEnvironment usec("WATCHDOG_USEC", "3000000");
    const auto before = open_descriptors();
    const ServiceManager manager;
    EXPECT_FALSE(manager.present());
    manager.ready("x");
    manager.hand_main_pid(1, "x");
    manager.store_fd(0, "http");
    EXPECT_FALSE(manager.barrier()) << "nobody to wait for";
    EXPECT_FALSE(manager.watchdog_interval());
    EXPECT_EQ(open_descriptors(), before);
}

TEST(NoServiceManager, is_not_waited_for_when_it_is_gone) {
    std::string address;
    {
        const FakeServiceManager gone;
        address = gone.address();
    }
    const ScopedEnvironment notify("NOTIFY_SOCKET", address);
    const ServiceManager manager;
    const auto before = open_descriptors();
    manager.ready("x");
    EXPECT_FALSE(manager.barrier());
    EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace handover::test
