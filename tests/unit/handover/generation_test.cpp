// SPDX-License-Identifier: MIT
// One generation in this process, from its start to SIGTERM, under a service manager of the test's.
// What takes several processes is tested in tests/process.

#include "handover/generation.h"

#include "handover/error.h"
#include "handover/listeners/inherited_state.h"
#include "handover/systemd/service_manager.h"
#include "support/fake_service_manager.h"
#include "support/open_descriptors.h"
#include "support/scoped_environment.h"
#include "support/temporary_directory.h"
#include "unit/handover/fake_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace handover::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

UniqueFd duplicate(int fd) {
    return UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

InheritedFd inherit(const std::string& name, int fd) {
    return {name, duplicate(fd), Descriptor::examine(fd)};
}

class GenerationTest : public testing::Test {
  protected:
    GenerationTest() {
        ::pthread_sigmask(SIG_SETMASK, nullptr, &mask_);
        options_.report = [this](const Report& report) {
            reports_.push_back(report);
            if (report.severity > Report::Severity::info) complaints_.push_back(report.text);
        };
        service_.drains_at_once = true;
    }
    ~GenerationTest() override { ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr); }

    /// Starts it and sends `end` at once, which it reads when it serves.
    Generation::Exit run(InheritedState inheritance, std::vector<WantedListener> wanted, int end) {
        Generation generation(std::move(inheritance).to_inheritance(), options_);
        generation.serve(service_, std::move(wanted));
        send(::pthread_self(), end);
        const auto exit = generation.run();
        number_ = generation.number();
        return exit;
    }

    /// To the thread whose signalfd is waiting; others here have it unblocked.
    static void send(pthread_t thread, int number) { ::pthread_kill(thread, number); }

    /// What it reported, but for what only helps to find a fault; and forgets it.
    std::vector<Report> story() {
        auto result = std::exchange(reports_, {});
        std::erase_if(result,
                      [](const Report& one) { return one.severity == Report::Severity::debug; });
        return result;
    }
    static std::vector<Report::Event> events_of(const std::vector<Report>& story) {
        std::vector<Report::Event> result;
        result.reserve(story.size());
        for (const auto& one : story) result.push_back(one.event);
        return result;
    }

    /// The texts of all messages, one after the other.
    std::string told() {
        std::string all = "\n";
        for (const auto& message : fake_.messages()) all += message.text + "\n--\n";
        return all;
    }

    [[nodiscard]] WantedListener want(const std::string& name) const {
        return {name, Endpoint::parse("unix:" + path(name).string())};
    }
    [[nodiscard]] std::filesystem::path path(const std::string& name) const {
        return directory_ / name;
    }

    const TemporaryDirectory directory_;
    FakeServiceManager fake_;
    const ScopedEnvironment notify_{"NOTIFY_SOCKET", fake_.address()};
    const ScopedEnvironment fdstore_{"FDSTORE", std::nullopt};
    const ScopedEnvironment watchdog_{"WATCHDOG_USEC", std::nullopt};
    GenerationOptions options_;
    FakeService service_;
    std::vector<Report> reports_;
    std::vector<std::string> complaints_;
    std::uint64_t number_ = 0;

  private:
    sigset_t mask_{};
};

TEST_F(GenerationTest, stores_what_it_bound_before_it_says_ready) {
    EXPECT_EQ(run({}, {want("http")}, SIGUSR1).status, 0);
    EXPECT_EQ(number_, 1U);
    const auto all = told();
    EXPECT_LT(all.find("FDNAME=http"), all.find("READY=1"));
    EXPECT_THAT(fake_.stored_names(), UnorderedElementsAre("http", "ledger"));
    EXPECT_TRUE(std::filesystem::exists(path("http"))) << "it left for a restart";
    EXPECT_THAT(complaints_, IsEmpty());
}

TEST_F(GenerationTest, leaves_nothing_when_it_stops) {
    EXPECT_EQ(run({}, {want("http"), want("admin")}, SIGTERM).status, 0);
    EXPECT_THAT(told(), HasSubstr("\nSTOPPING=1\n"));
    EXPECT_THAT(fake_.stored_names(), ElementsAre("ledger"));
    EXPECT_FALSE(std::filesystem::exists(path("http")));
    EXPECT_FALSE(std::filesystem::exists(path("admin")));
    EXPECT_THAT(service_.calls,
                ElementsAre("start http admin", "accept queued and stop", HasSubstr("drain")));
}

TEST_F(GenerationTest, goes_on_after_a_restart_with_what_was_stored) {
    (void)run({}, {want("http")}, SIGUSR1);
    fake_.forget_messages();
    InheritedState inheritance;
    inheritance.ledger = Ledger::adopt(fake_.stored("ledger"));
    inheritance.listeners.push_back(inherit("http", fake_.stored("http").get()));
    (void)run(std::move(inheritance), {want("http")}, SIGUSR1);
    EXPECT_EQ(number_, 2U);
    EXPECT_THAT(told(), testing::Not(HasSubstr("FDSTORE"))) << "it is all there";
    EXPECT_THAT(complaints_, IsEmpty());
}

TEST_F(GenerationTest, tells_its_life_in_three_reports) {
    options_.version = "7.1";
    (void)run({}, {want("http")}, SIGTERM);
    const auto told = story();
    using enum Report::Event;
    ASSERT_THAT(events_of(told), ElementsAre(serving, stopping, ended));
    EXPECT_EQ(told[0].kind, std::nullopt) << "nobody was there before";
    EXPECT_EQ(told[0].pid, ::getpid());
    EXPECT_EQ(told[0].version, "7.1");
    ASSERT_EQ(told[0].listeners.size(), 1U);
    EXPECT_EQ(told[0].listeners[0].name, "http");
    EXPECT_EQ(told[0].listeners[0].endpoint, "unix:" + path("http").string());
    EXPECT_EQ(told[2].account, ConnectionCounts());
    EXPECT_EQ(told[2].text, "generation 1 ended: held 0");
    for (const auto& one : told) EXPECT_EQ(one.generation, 1U) << one.text;
}

TEST_F(GenerationTest, tells_how_it_came) {
    (void)run({}, {want("http")}, SIGUSR1);
    for (const auto end : {Ledger::End::Kind::restart, Ledger::End::Kind::crash}) {
        InheritedState inheritance;
        inheritance.ledger = Ledger::adopt(fake_.stored("ledger"));
        inheritance.listeners.push_back(inherit("http", fake_.stored("http").get()));
        inheritance.ledger->set_last_end({end, std::chrono::steady_clock::now()});
        (void)story();
        (void)run(std::move(inheritance), {want("http")}, SIGUSR1);
        const bool crashed = end == Ledger::End::Kind::crash;
        const auto told = story();
        ASSERT_FALSE(told.empty());
        EXPECT_EQ(told[0].kind, crashed ? HandoverKind::crash : HandoverKind::restart);
        EXPECT_EQ(told[0].text.ends_with("; the one before it crashed"), crashed) << told[0].text;
        EXPECT_EQ(told[1].event, Report::Event::restarting);
        EXPECT_EQ(told.size(), 3U);
    }
}

TEST_F(GenerationTest, takes_what_is_no_longer_wanted_out_of_the_store) {
    (void)run({}, {want("http"), want("old")}, SIGUSR1);
    InheritedState inheritance;
    inheritance.ledger = Ledger::adopt(fake_.stored("ledger"));
    inheritance.listeners.push_back(inherit("http", fake_.stored("http").get()));
    inheritance.listeners.push_back(inherit("old", fake_.stored("old").get()));
    // Another address, so that it is recognised as ours but not as wanted.
    auto wanted = want("http");
    auto moved = want("old");
    moved.endpoint = Endpoint::parse("unix:" + path("new").string());
    (void)run(std::move(inheritance), {wanted, moved}, SIGUSR1);
    EXPECT_THAT(fake_.stored_names(), UnorderedElementsAre("http", "old", "ledger"));
    const auto stored = Endpoint::of_socket(fake_.stored("old").get());
    ASSERT_TRUE(stored);
    EXPECT_EQ(stored->unix_path(), path("new")) << "a listener that nobody accepts on is stored";
    EXPECT_THAT(complaints_, ElementsAre(HasSubstr("'old'"))) << "it did come back";
}

TEST_F(GenerationTest, leaves_one_ledger_in_the_store) {
    (void)run({}, {want("http")}, SIGUSR1);
    const Ledger stale;
    const ServiceManager manager;
    manager.store_fd(stale.fd(), Ledger::fd_name);
    InheritedState inheritance;
    inheritance.ledger = Ledger::adopt(duplicate(fake_.stored("ledger").get()));
    inheritance.ledger->set_last_generation(5);
    inheritance.stale_ledgers = true;
    inheritance.listeners.push_back(inherit("http", fake_.stored("http").get()));
    (void)run(std::move(inheritance), {want("http")}, SIGUSR1);
    EXPECT_EQ(number_, 6U);
    EXPECT_THAT(fake_.stored_names(), UnorderedElementsAre("http", "ledger"));
    EXPECT_EQ(Ledger::adopt(fake_.stored("ledger"))->last_generation(), 6U);
}

TEST_F(GenerationTest, tells_a_predecessor_why_it_cannot_start) {
    auto [predecessor, ours] = Channel::make_pair();
    Message hello;
    ASSERT_EQ(predecessor.send(hello), Channel::Sent::sent);
    InheritedState inheritance;
    inheritance.predecessor.emplace(std::move(ours));
    const WantedListener impossible{"http",
                                    Endpoint::parse("unix:" + path("missing/x.sock").string())};
    Generation generation(std::move(inheritance).to_inheritance(), options_);
    generation.serve(service_, {impossible});
    EXPECT_THROW((void)generation.run(), Error);
    Message message;
    ASSERT_EQ(predecessor.receive(message), Channel::Received::message);
    EXPECT_EQ(message.type, Message::Type::hello);
    ASSERT_EQ(predecessor.receive(message), Channel::Received::message);
    EXPECT_EQ(message.type, Message::Type::failed);
    EXPECT_THAT(std::string(message.field(Message::Tag::reason)), HasSubstr("cannot listen on"));
    EXPECT_THAT(told(), testing::Not(HasSubstr("READY"))) << "the predecessor is the one to speak";
}

TEST_F(GenerationTest, feeds_the_watchdog_as_long_as_its_services_respond) {
    const ScopedEnvironment usec("WATCHDOG_USEC", "20000");
    std::thread manager([this, main = ::pthread_self()] {
        EXPECT_TRUE(fake_.wait_for_message_saying("WATCHDOG=1"));
        send(main, SIGTERM);
    });
    (void)run({}, {want("http")}, SIGCONT);
    manager.join();
    EXPECT_THAT(complaints_, IsEmpty());
}

TEST_F(GenerationTest, starves_the_watchdog_when_a_service_is_stuck_and_says_so) {
    const ScopedEnvironment usec("WATCHDOG_USEC", "20000");
    service_.responsive = false;
    options_.report = [this](const Report& report) {
        if (report.severity != Report::Severity::error) return;
        complaints_.push_back(report.text);
        send(::pthread_self(), SIGTERM);
    };
    (void)run({}, {want("http")}, SIGCONT);
    EXPECT_THAT(complaints_, ElementsAre(HasSubstr("the watchdog is not fed any more")));
    EXPECT_THAT(told(), testing::Not(HasSubstr("WATCHDOG=1")));
}

TEST_F(GenerationTest, leaves_no_descriptor_behind) {
    const auto before = open_descriptors().size();
    (void)run({}, {want("http")}, SIGTERM);
    // What is stored is open in this process too, for the service manager lives in it.
    EXPECT_EQ(open_descriptors().size(), before + fake_.stored_names().size());
}

}  // namespace
}  // namespace handover::test
