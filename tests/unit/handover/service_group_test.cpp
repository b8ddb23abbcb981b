// SPDX-License-Identifier: MIT
#include "handover/connections/service_group.h"

#include "unit/handover/fake_service.h"
#include "unit/handover/test_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace handover::test {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

WantedListener want(const std::string& name) {
    return {name, Endpoint::parse("127.0.0.1:0")};
}

class ServiceGroupTest : public testing::Test {
  protected:
    ServiceGroupTest() {
        group_.add(web_, {want("http"), want("http")});
        group_.add(admin_, {want("admin")});
    }

    std::function<void()> note(const std::string& what) {
        return [this, what] {
            noted_.push_back(what);
            noted_on_ = std::this_thread::get_id();
        };
    }

    /// Runs what has been posted so far.
    void run_posted() {
        loop_.post([this] { loop_.stop(); });
        loop_.run_to_the_end();
    }

    TestLoop loop_;
    FakeService web_;
    FakeService admin_;
    ServiceGroup group_{loop_};
    std::vector<std::string> noted_;
    std::thread::id noted_on_;
};

TEST_F(ServiceGroupTest, wants_what_its_services_want) {
    std::vector<std::string> names;
    for (const auto& wanted : group_.wanted()) names.push_back(wanted.name);
    EXPECT_THAT(names, ElementsAre("http", "http", "admin"));
}

TEST_F(ServiceGroupTest, gives_each_service_its_own_listeners) {
    std::vector<Listener> listeners;
    for (const char* name : {"http", "admin", "http"})
        listeners.push_back({name, Endpoint::parse("127.0.0.1:0"), UniqueFd(), false});
    group_.start_accepting(listeners);
    EXPECT_THAT(web_.calls, ElementsAre("start http http"));
    EXPECT_THAT(admin_.calls, ElementsAre("start admin"));
}

TEST_F(ServiceGroupTest, serves_what_is_dropped_until_it_lets_go) {
    std::vector<Listener> kept;
    std::vector<Listener> dropped;
    kept.push_back({"admin", Endpoint::parse("127.0.0.1:0"), UniqueFd(), true});
    dropped.push_back({"http", Endpoint::parse("127.0.0.1:0"), UniqueFd(), true, true});
    dropped.push_back({"gopher", Endpoint::parse("127.0.0.1:0"), UniqueFd(), true, true});
    group_.start_accepting(kept, dropped);
    group_.detach(dropped, kept);
    EXPECT_THAT(web_.calls, ElementsAre("start http", "accept queued and stop", "start"));
    EXPECT_THAT(admin_.calls, ElementsAre("start admin", "accept queued and stop", "start admin"));
    group_.detach({}, kept);
    EXPECT_EQ(web_.calls.size(), 3U) << "there was nothing to let go";
}

TEST_F(ServiceGroupTest, takes_the_queue_of_what_is_dropped_before_it_begins_to_serve) {
    std::vector<Listener> dropped;
    dropped.push_back({"http", Endpoint::parse("127.0.0.1:0"), UniqueFd(), true, true});
    group_.detach(dropped, {});
    EXPECT_THAT(web_.calls, ElementsAre("start http", "accept queued and stop"));
}

TEST_F(ServiceGroupTest, stops_all_its_services) {
    group_.stop_accepting();
    group_.accept_queued_and_stop();
    EXPECT_THAT(web_.calls, ElementsAre("stop", "accept queued and stop"));
    EXPECT_THAT(admin_.calls, ElementsAre("stop", "accept queued and stop"));
}

TEST_F(ServiceGroupTest, has_drained_when_the_last_service_has) {
    group_.drain({milliseconds(5000)}, [this] {
        note("drained")();
        loop_.stop();
    });
    EXPECT_THAT(web_.calls, ElementsAre("drain 5000"));
    EXPECT_THAT(admin_.calls, ElementsAre("drain 5000"));
    admin_.drained();
    loop_.post([this] {
        EXPECT_TRUE(noted_.empty()) << "one is left";
        web_.drained();
    });
    loop_.run_to_the_end();
    EXPECT_THAT(noted_, ElementsAre("drained"));
}

TEST_F(ServiceGroupTest, says_so_on_the_thread_of_the_loop) {
    group_.drain({milliseconds(0)}, [this] {
        note("drained")();
        loop_.stop();
    });
    std::thread web([this] { web_.drained(); });
    std::thread admin([this] { admin_.drained(); });
    loop_.run_to_the_end();
    web.join();
    admin.join();
    EXPECT_EQ(noted_on_, std::this_thread::get_id());
}

TEST_F(ServiceGroupTest, is_not_told_from_inside_the_call) {
    web_.drains_at_once = true;
    admin_.drains_at_once = true;
    group_.drain({milliseconds(0)}, note("drained"));
    EXPECT_TRUE(noted_.empty());
    run_posted();
    EXPECT_THAT(noted_, ElementsAre("drained"));
}

TEST_F(ServiceGroupTest, forgets_the_first_drain_when_asked_again) {
    group_.drain({milliseconds(5000)}, note("patiently"));
    const auto web_first = web_.drained;
    const auto admin_first = admin_.drained;
    web_first();
    group_.drain({milliseconds(1000)}, note("promptly"));
    EXPECT_THAT(web_.calls, ElementsAre("drain 5000", "drain 1000"));
    admin_first();  // it was on its way already
    web_.drained();
    loop_.post([this] {
        EXPECT_TRUE(noted_.empty()) << "the second drain of admin is not over";
        admin_.drained();
        loop_.post([this] { loop_.stop(); });
    });
    loop_.run_to_the_end();
    EXPECT_THAT(noted_, ElementsAre("promptly"));
}

TEST_F(ServiceGroupTest, counts_the_connections_of_all) {
    web_.counted.opened = 3;
    admin_.counted.opened = 2;
    EXPECT_EQ(group_.counts().open(), 5U);
    EXPECT_EQ(group_.close_remaining(), 5U);
    EXPECT_EQ(group_.counts().open(), 0U);
}

}  // namespace
}  // namespace handover::test
