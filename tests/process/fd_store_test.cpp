// SPDX-License-Identifier: MIT
// A new process takes its listeners back from the fd store, after a crash or a restart.

#include "process/managed_fixture.h"
#include "support/listening.h"

#include <unistd.h>

#include <algorithm>

namespace handover::test {
namespace {

using Message = FakeServiceManager::Message;

class FdStore : public ManagedTest {
  protected:
    bool wait_for_removal_of(const std::string& name) {
        return manager_
            .wait_for_message(
                [&](const Message& message) {
                    return message.says("FDSTOREREMOVE=1") && message.value("FDNAME") == name;
                },
                timeout)
            .has_value();
    }

    bool was_stored(const std::string& name) {
        const auto all = manager_.messages();
        return std::any_of(all.begin(), all.end(), [&](const Message& message) {
            return message.says("FDSTORE=1") && message.value("FDNAME") == name;
        });
    }
};

TEST_F(FdStore, listeners_and_the_count_of_generations_survive_a_crash) {
    Daemon crashing(directory_, managed());
    ASSERT_TRUE(manager_.wait_for_message_saying("READY=1"));
    EXPECT_EQ(crashing.reload().status, 0);
    const auto address = crashing.address();
    EXPECT_EQ(await_end(crashing.first_pid()), 0) << "its probation is over";
    crashing.signal(SIGKILL);
    EXPECT_EQ(crashing.await_end(), -SIGKILL);

    // Nobody runs, and nobody is refused: the kernel queues.
    RawClient waiting(address, timeout);
    waiting.send("GET /hello HTTP/1.1\r\nHost: test\r\n\r\n");
    EXPECT_TRUE(waiting.is_quiet());

    manager_.forget_messages();
    Daemon daemon(directory_, with_store(managed()));
    EXPECT_EQ(daemon.address(), address);
    EXPECT_EQ(daemon.generation(), 3U);
    EXPECT_EQ(answer_in(waiting.receive()).pid, daemon.pid());
    EXPECT_EQ(daemon.status().at("generation"), 3);
    EXPECT_FALSE(was_stored("http")) << "pushed again";
    EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_EQ(daemon.ask().generation, 4U);
}

TEST_F(FdStore, restarts_refuse_and_lose_nothing) {
    std::optional<Daemon> daemon;
    daemon.emplace(directory_, managed());
    const auto address = daemon->address();
    Load load(address, {"--connections", "8", "--rate", "200"});
    for (std::uint64_t generation = 2; generation <= 4; ++generation) {
        daemon->signal(SIGUSR1);
        EXPECT_EQ(daemon->await_end(), 0);
        daemon.emplace(directory_, with_store(managed()));
        EXPECT_EQ(daemon->generation(), generation);
        EXPECT_EQ(daemon->address(), address);
        load.await_answers(20);
    }
    const auto report = expect_nothing_lost(load);
    EXPECT_EQ(report.last_generation(), 4);
}

TEST_F(FdStore, generation_from_the_store_still_owns_its_listeners) {
    auto start = managed();
    start.listen = {"unix:" + (directory_ / "http.sock").string()};
    {
        Daemon daemon(directory_, start);
        ASSERT_TRUE(manager_.wait_for_message_saying("READY=1"));
        daemon.signal(SIGKILL);
        EXPECT_EQ(daemon.await_end(), -SIGKILL);
    }
    Daemon daemon(directory_, with_store(start));
    EXPECT_EQ(daemon.ask().generation, 2U);
    daemon.signal(SIGTERM);
    EXPECT_TRUE(wait_for_removal_of("http"));
    EXPECT_TRUE(wait_for_removal_of("admin"));
    EXPECT_EQ(daemon.await_end(), 0);
    EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

TEST_F(FdStore, listener_of_a_socket_unit_is_never_pushed) {
    const ListeningSocket unit("127.0.0.1:0");
    auto start = managed();
    start.listen = {};
    start.process.inherited = {{"http", unit.fd()}};
    Daemon daemon(directory_, start);
    EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_EQ(daemon.ask().pid, daemon.pid());
    EXPECT_TRUE(was_stored("admin"));
    EXPECT_FALSE(was_stored("http"));
    daemon.signal(SIGTERM);
    EXPECT_TRUE(wait_for_removal_of("admin"));
    EXPECT_EQ(daemon.await_end(), 0);
    for (const auto& message : manager_.messages())
        EXPECT_FALSE(message.says("FDSTOREREMOVE=1") && message.says("FDNAME=http"));
    EXPECT_FALSE(refuses(unit.endpoint())) << "the listener of the unit is dead";
}

TEST_F(FdStore, listener_that_a_socket_unit_holds_too_is_closed_once_and_removed) {
    const ListeningSocket unit("127.0.0.1:0");
    auto start = managed();
    start.listen = {};
    start.process.inherited = {{"http", unit.fd()}, {"http", unit.fd()}};
    Daemon daemon(directory_, start);
    EXPECT_TRUE(wait_for_removal_of("http"));
    EXPECT_TRUE(daemon.wait_for_state("serving"));
    EXPECT_EQ(daemon.status().at("listeners").size(), 2U);
    EXPECT_EQ(daemon.ask().pid, daemon.pid());
    const auto socket = ProcessView{::getpid()}.descriptors().at(unit.fd());
    const auto descriptors = ProcessView{daemon.pid()}.descriptors();
    EXPECT_EQ(std::count_if(descriptors.begin(), descriptors.end(),
                            [&](const auto& fd) { return fd.second == socket; }),
              1);
    EXPECT_FALSE(was_stored("http"));
    EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_EQ(daemon.ask().pid, daemon.pid());
}

TEST_F(FdStore, what_it_does_not_know_is_removed) {
    const ListeningSocket unknown("127.0.0.1:0");
    auto start = managed();
    start.process.inherited = {{"gopher", unknown.fd()}};
    const Daemon daemon(directory_, start);
    EXPECT_TRUE(wait_for_removal_of("gopher"));
    EXPECT_EQ(daemon.ask().pid, daemon.pid());
}

TEST_F(FdStore, listener_that_is_not_configured_any_more_is_removed) {
    {
        auto start = managed();
        start.listen = {"unix:" + (directory_ / "before.sock").string()};
        Daemon daemon(directory_, start);
        ASSERT_TRUE(manager_.wait_for_message_saying("READY=1"));
        daemon.signal(SIGUSR1);
        EXPECT_EQ(daemon.await_end(), 0);
    }
    const Daemon daemon(directory_, with_store(managed()));
    from_store_.clear();
    EXPECT_TRUE(wait_for_removal_of("http"));
    EXPECT_EQ(daemon.ask().generation, 2U);
    // The new listener has the same name, and removal is by name.
    EXPECT_TRUE(eventually([&] {
        const auto stored = manager_.stored("http");
        return stored && Endpoint::of_socket(stored.get()) == daemon.address();
    }));
}

TEST_F(FdStore, that_is_too_small_is_complained_about) {
    auto start = managed();
    start.process.environment["FDSTORE"] = "1";
    Daemon daemon(directory_, start);
    const auto line = daemon.await_line("the fd store takes 1 descriptors");
    EXPECT_NE(line.find("warning"), std::string::npos) << line;
    EXPECT_NE(line.find("FileDescriptorStoreMax="), std::string::npos) << line;
    EXPECT_EQ(daemon.ask().status, 200);
}

TEST_F(FdStore, that_is_large_enough_is_not_complained_about) {
    auto start = managed();
    start.process.environment["FDSTORE"] = "3";
    Daemon daemon(directory_, start);
    EXPECT_EQ(daemon.log().find("warning"), std::string::npos) << daemon.log();
}

TEST_F(FdStore, that_has_lost_the_listeners_is_complained_about) {
    Daemon first(directory_, managed());
    ASSERT_TRUE(manager_.wait_for_message_saying("READY=1"));
    first.signal(SIGUSR1);
    EXPECT_EQ(first.await_end(), 0);
    const auto ledger = manager_.stored("ledger");
    ASSERT_TRUE(ledger);
    auto start = managed();
    start.process.inherited = {{"ledger", ledger.get()}};
    const TemporaryDirectory elsewhere;  // for the fake still listens on the old admin path
    Daemon daemon(elsewhere, start);
    daemon.await_line("listeners that were in the fd store did not come back");
    EXPECT_EQ(daemon.generation(), 2U);
    EXPECT_EQ(daemon.ask().status, 200);
}

TEST_F(FdStore, ledger_that_is_none_is_begun_anew) {
    const ListeningSocket listener("127.0.0.1:0");
    auto start = managed();
    start.process.inherited = {{"ledger", listener.fd()}};
    Daemon daemon(directory_, start);
    daemon.await_line("inherited 'ledger' is a stream socket listening on");
    EXPECT_EQ(daemon.generation(), 1U);
    EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_EQ(daemon.generation(), 2U);
}

}  // namespace
}  // namespace handover::test
