// SPDX-License-Identifier: MIT
// What a service manager is told, by whom and in which order.

#include "process/held_request.h"
#include "process/process_fixture.h"
#include "support/fake_service_manager.h"

#include <algorithm>

namespace handover::test {
namespace {

namespace fs = std::filesystem;

class Notifications : public ProcessTest {
  protected:
    using Message = FakeServiceManager::Message;

    [[nodiscard]] DaemonOptions managed(DaemonOptions start) const {
        start.process.environment["NOTIFY_SOCKET"] = manager_.address();
        return start;
    }
    [[nodiscard]] DaemonOptions managed() const { return managed(with_options({})); }

    /// The place of the first message that says so, among all; fails the test if there is none.
    std::size_t place_of(std::string_view assignment, pid_t sender) {
        const auto all = manager_.messages();
        const auto found = std::find_if(all.begin(), all.end(), [&](const Message& message) {
            return message.sender == sender && message.says(assignment);
        });
        EXPECT_NE(found, all.end()) << sender << " does not say " << assignment;
        return static_cast<std::size_t>(found - all.begin());
    }

    std::size_t count_of(std::string_view assignment) {
        const auto all = manager_.messages();
        return static_cast<std::size_t>(
            std::count_if(all.begin(), all.end(),
                          [&](const Message& message) { return message.says(assignment); }));
    }

    std::ptrdiff_t count_from(pid_t sender, std::string_view assignment) {
        const auto all = manager_.messages();
        return std::count_if(all.begin(), all.end(), [&](const Message& message) {
            return message.sender == sender && message.says(assignment);
        });
    }

    std::optional<Message> wait_for_message_from(pid_t sender, std::string_view assignment) {
        return manager_.wait_for_message(
            [sender, text = std::string(assignment)](const Message& m) {
                return m.sender == sender && m.says(text);
            },
            timeout);
    }

    FakeServiceManager manager_;
};

TEST_F(Notifications, ready_comes_after_everything_is_in_the_fd_store) {
    Daemon daemon(directory_, managed());
    ASSERT_TRUE(manager_.wait_for_message_saying("READY=1"));
    const auto ready = place_of("READY=1", daemon.pid());
    for (const auto* name : {"FDNAME=http", "FDNAME=admin", "FDNAME=ledger"}) {
        const auto all = manager_.messages();
        const auto stored = std::find_if(all.begin(), all.end(), [&](const Message& message) {
            return message.says("FDSTORE=1") && message.says(name);
        });
        ASSERT_NE(stored, all.end()) << name;
        EXPECT_LT(static_cast<std::size_t>(stored - all.begin()), ready) << name;
        EXPECT_EQ(stored->descriptors, 1U);
    }
    EXPECT_EQ(manager_.messages()[ready].value("STATUS"),
              "generation 1 (pid " + std::to_string(daemon.pid()) + ") serves http on " +
                  daemon.address().to_string() + ", admin on " + daemon.admin().to_string());
}

TEST_F(Notifications, handover_is_announced_in_order_and_ends_in_silence) {
    Daemon daemon(directory_, managed());
    const auto old = daemon.pid();
    HeldRequest held(daemon.address());
    EXPECT_EQ(daemon.reload().status, 0);
    const auto successor = daemon.pid();
    EXPECT_EQ(answer_in(held.finish()).pid, old);
    ASSERT_TRUE(wait_for_message_from(successor, "READY=1"));
    EXPECT_EQ(await_end(old), 0);

    const auto reloading = place_of("RELOADING=1", old);
    const auto handed = place_of("MAINPID=" + std::to_string(successor), old);
    const auto ready = place_of("READY=1", successor);
    EXPECT_LT(reloading, handed);
    EXPECT_LT(handed, ready);
    const auto all = manager_.messages();
    EXPECT_FALSE(all[reloading].value("MONOTONIC_USEC").value_or("").empty());
    EXPECT_TRUE(all[handed].says("READY=1"));
    EXPECT_TRUE(all[handed].says("WATCHDOG=1"));
    for (std::size_t i = handed + 1; i < all.size(); ++i)
        if (all[i].sender == old) {
            EXPECT_TRUE(all[i].says("BARRIER=1")) << all[i].text;
        }
    EXPECT_EQ(count_of("STOPPING=1"), 0U);
}

TEST_F(Notifications, successor_stores_nothing_that_is_there_already) {
    Daemon daemon(directory_, managed());
    ASSERT_TRUE(manager_.wait_for_message_saying("READY=1"));
    const auto names = manager_.stored_names();
    manager_.forget_messages();
    EXPECT_EQ(daemon.reload().status, 0);
    ASSERT_TRUE(wait_for_message_from(daemon.pid(), "READY=1"));
    EXPECT_EQ(count_of("FDSTORE=1"), 0U);
    EXPECT_EQ(count_of("FDSTOREREMOVE=1"), 0U);
    EXPECT_EQ(manager_.stored_names(), names);
}

TEST_F(Notifications, failed_reload_ends_with_ready) {
    install(handoverd_program(), program());
    Daemon daemon(directory_, managed({.program = program()}));
    ASSERT_TRUE(manager_.wait_for_message_saying("READY=1"));
    fs::remove(program());
    manager_.forget_messages();
    const auto told = daemon.reload();
    EXPECT_EQ(told.status, 1);
    const auto all = manager_.messages();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_TRUE(all[0].says("RELOADING=1"));
    EXPECT_TRUE(all[1].says("READY=1"));
    EXPECT_EQ(all[1].value("STATUS").value_or("") + "\n", told.err);
}

TEST_F(Notifications, stop_during_a_reload_ends_the_reload_first) {
    install(handoverd_program(), program());
    Daemon daemon(directory_, managed({.program = program()}));
    install_text("#!/bin/sh\necho \"the successor hangs\" >&2\nexec sleep 600\n",
                 fs::perms::owner_all, program());
    daemon.signal(SIGUSR2);
    daemon.await_line("the successor hangs");
    manager_.forget_messages();
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.await_end(), 0);
    EXPECT_LT(place_of("READY=1", daemon.pid()), place_of("STOPPING=1", daemon.pid()));
}

TEST_F(Notifications, stop_is_announced_and_empties_the_store_of_listeners) {
    Daemon daemon(directory_, managed());
    HeldRequest held(daemon.address());
    ASSERT_TRUE(manager_.wait_for_message_saying("READY=1"));
    manager_.forget_messages();
    daemon.signal(SIGTERM);
    EXPECT_TRUE(manager_.wait_for_message([](const Message& message) {
        return message.value("EXTEND_TIMEOUT_USEC").has_value();
    })) << "while it drains it asks for time, and counts down";
    EXPECT_EQ(held.finish().status, 200);
    EXPECT_EQ(daemon.await_end(), 0);
    const auto stopping = place_of("STOPPING=1", daemon.pid());
    EXPECT_EQ(stopping, 0U);
    EXPECT_TRUE(manager_.messages()[stopping].value("STATUS").value_or("").starts_with(
        "generation 1 stops: "));
    for (const auto* name : {"FDNAME=http", "FDNAME=admin"})
        EXPECT_TRUE(manager_.messages()[place_of(name, daemon.pid())].says("FDSTOREREMOVE=1"));
    const auto left = manager_.stored_names();
    for (const auto* name : {"http", "admin"})
        EXPECT_EQ(std::count(left.begin(), left.end(), name), 0) << name;
}

TEST_F(Notifications, restarting_keeps_the_store) {
    Daemon daemon(directory_, managed());
    ASSERT_TRUE(manager_.wait_for_message_saying("READY=1"));
    const auto names = manager_.stored_names();
    manager_.forget_messages();
    daemon.signal(SIGUSR1);
    EXPECT_EQ(daemon.await_end(), 0);
    EXPECT_EQ(count_of("FDSTOREREMOVE=1"), 0U);
    EXPECT_EQ(count_of("STOPPING=1"), 0U);
    EXPECT_EQ(manager_.stored_names(), names);
}

TEST_F(Notifications, watchdog_is_fed_by_whoever_is_the_main_process) {
    auto start = managed();
    start.process.environment["WATCHDOG_USEC"] = "200000";
    start.process.environment["WATCHDOG_PID"] = ProcessOptions::own_pid;
    Daemon daemon(directory_, start);
    const auto old = daemon.pid();
    ASSERT_TRUE(wait_for_message_from(old, "WATCHDOG=1"));
    HeldRequest held(daemon.address());
    EXPECT_EQ(daemon.reload().status, 0);
    const auto successor = daemon.pid();
    EXPECT_EQ(ProcessView{successor}.environment().at("WATCHDOG_PID"), std::to_string(successor));
    const auto fed = count_from(old, "WATCHDOG=1");
    EXPECT_TRUE(eventually([&] { return count_from(old, "WATCHDOG=1") > fed; }))
        << "it is the main process until its request is answered";
    EXPECT_EQ(answer_in(held.finish()).pid, old);
    EXPECT_TRUE(wait_for_message_from(successor, "WATCHDOG=1"));
    EXPECT_EQ(await_end(old), 0);

    const auto all = manager_.messages();
    const auto handed = place_of("MAINPID=" + std::to_string(successor), old);
    for (std::size_t i = handed + 1; i < all.size(); ++i)
        EXPECT_FALSE(all[i].sender == old && all[i].says("WATCHDOG=1"));
}

TEST_F(Notifications, watchdog_of_another_process_is_not_fed) {
    auto start = managed();
    start.process.environment["WATCHDOG_USEC"] = "20000";
    start.process.environment["WATCHDOG_PID"] = "1";
    const Daemon daemon(directory_, start);
    EXPECT_EQ(daemon.ask("/hello?sleep=100ms").status, 200);
    EXPECT_EQ(count_of("WATCHDOG=1"), 0U);
}

TEST_F(Notifications, are_not_missed_by_anybody_outside_of_a_service) {
    Daemon daemon(directory_, with_options({}));
    EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_TRUE(manager_.messages().empty());
}

}  // namespace
}  // namespace handover::test
