// SPDX-License-Identifier: MIT
#include "handover/listeners/fd_store.h"

#include "handover/base/descriptor.h"
#include "handover/listeners/bind_listener.h"
#include "handover/listeners/listeners.h"
#include "support/fake_service_manager.h"
#include "support/scoped_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace handover::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

Listener bind(const std::string& name) {
    return bind_listener({name, Endpoint::parse("127.0.0.1:0")});
}

std::uint64_t cookie_of(int fd) {
    return Descriptor::examine(fd).cookie;
}

class FdStoreTest : public testing::Test {
  protected:
    FakeServiceManager fake_;
    const ScopedEnvironment notify_{"NOTIFY_SOCKET", fake_.address()};
    const ScopedEnvironment fdstore_{"FDSTORE", std::nullopt};
    const ServiceManager manager_;
    Ledger ledger_;
    FdStore store_{manager_, ledger_};
};

TEST_F(FdStoreTest, keeps_a_listener_that_we_bound_under_its_name) {
    const auto http = bind("http");
    EXPECT_FALSE(store_.owns(http));
    EXPECT_EQ(store_.push(http), std::nullopt);
    EXPECT_TRUE(store_.owns(http));
    EXPECT_THAT(fake_.stored_names(), ElementsAre("http"));
    EXPECT_EQ(cookie_of(fake_.stored("http").get()), cookie_of(http.fd.get()));
}

TEST_F(FdStoreTest, keeps_the_ledger_unless_it_came_from_there) {
    EXPECT_EQ(store_.push_ledger(/*inherited=*/true), std::nullopt);
    EXPECT_THAT(fake_.stored_names(), IsEmpty());
    EXPECT_EQ(store_.push_ledger(/*inherited=*/false), std::nullopt);
    EXPECT_THAT(fake_.stored_names(), ElementsAre("ledger"));
}

TEST_F(FdStoreTest, knows_how_many_it_keeps) {
    EXPECT_EQ(store_.push_ledger(/*inherited=*/false), std::nullopt);
    const auto http = bind("http");
    const auto admin = bind("admin");
    EXPECT_EQ(store_.push(http), std::nullopt);
    EXPECT_EQ(store_.push(admin), std::nullopt);
    EXPECT_EQ(store_.entries(), 3U);
    EXPECT_EQ(store_.entries(), fake_.stored_names().size());
    store_.remove(http, {});
    EXPECT_EQ(store_.entries(), 2U);
    {
        const ScopedEnvironment two{"FDSTORE", "1"};
        const ServiceManager small;
        EXPECT_EQ(FdStore(small, ledger_).entries(), 1U) << "more than there is room for";
    }
    const ScopedEnvironment nobody{"NOTIFY_SOCKET", std::nullopt};
    const ServiceManager absent;
    EXPECT_EQ(FdStore(absent, ledger_).entries(), 0U);
}

TEST_F(FdStoreTest, keeps_one_ledger_the_one_in_use) {
    const Ledger stale;
    manager_.store_fd(stale.fd(), Ledger::fd_name);
    ledger_.set_last_generation(7);
    EXPECT_EQ(store_.push_ledger(/*inherited=*/false), std::nullopt);
    EXPECT_THAT(fake_.stored_names(), ElementsAre("ledger"));
    const auto kept = Ledger::adopt(fake_.stored("ledger"));
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->last_generation(), 7U);
}

TEST_F(FdStoreTest, knows_its_own_in_the_next_generation_too) {
    const auto http = bind("http");
    const auto from_a_socket_unit = bind("admin");
    (void)store_.push_ledger(false);
    (void)store_.push(http);
    // The next one knows nothing but what comes out of the store.
    auto ledger = Ledger::adopt(fake_.stored("ledger"));
    ASSERT_TRUE(ledger);
    const FdStore next(manager_, *ledger);
    const Listener inherited{"http", http.endpoint, fake_.stored("http"), true};
    EXPECT_TRUE(next.owns(inherited));
    EXPECT_FALSE(next.owns(from_a_socket_unit));
}

TEST_F(FdStoreTest, lets_go_of_a_listener) {
    const auto http = bind("http");
    const auto admin = bind("admin");
    (void)store_.push(http);
    (void)store_.push(admin);
    store_.remove(http, {&admin});
    EXPECT_FALSE(store_.owns(http));
    EXPECT_THAT(fake_.stored_names(), ElementsAre("admin"));
}

TEST_F(FdStoreTest, keeps_the_others_of_a_name_when_one_goes) {
    const auto one = bind("http");
    const auto other = bind("http");
    const auto from_a_socket_unit = bind("http");
    (void)store_.push(one);
    (void)store_.push(other);
    store_.remove(one, {&other, &from_a_socket_unit});
    EXPECT_THAT(fake_.stored_names(), ElementsAre("http"));
    EXPECT_EQ(cookie_of(fake_.stored("http").get()), cookie_of(other.fd.get()));
    EXPECT_TRUE(store_.owns(other));
    EXPECT_FALSE(store_.owns(one));
}

TEST_F(FdStoreTest, never_touches_what_a_socket_unit_holds) {
    const auto from_a_socket_unit = bind("http");
    store_.remove(from_a_socket_unit, {});
    EXPECT_THAT(fake_.messages(), IsEmpty());
}

TEST_F(FdStoreTest, removes_the_duplicate_of_a_socket_units_listener) {
    const auto from_a_socket_unit = bind("http");
    const auto own = bind("http");
    manager_.store_fd(from_a_socket_unit.fd.get(), "http");
    (void)store_.push(own);
    store_.remove_duplicate("http", {&from_a_socket_unit, &own});
    EXPECT_THAT(fake_.stored_names(), ElementsAre("http"));
    EXPECT_EQ(cookie_of(fake_.stored("http").get()), cookie_of(own.fd.get()));
}

TEST_F(FdStoreTest, removes_strangers) {
    const auto http = bind("http");
    const auto smtp = bind("smtp");
    (void)store_.push(http);
    manager_.store_fd(smtp.fd.get(), "smtp");
    store_.remove_stranger("smtp");
    EXPECT_THAT(fake_.stored_names(), ElementsAre("http"));
}

TEST_F(FdStoreTest, counts_what_did_not_come_back_and_forgets_it) {
    const auto http = bind("http");
    const auto admin = bind("admin");
    (void)store_.push(http);
    (void)store_.push(admin);
    EXPECT_EQ(store_.forget_missing({&http, &admin}), 0U);
    EXPECT_EQ(store_.forget_missing({&http}), 1U);
    EXPECT_TRUE(store_.owns(http));
    EXPECT_FALSE(store_.owns(admin));
    EXPECT_EQ(store_.forget_missing({&http}), 0U);
}

TEST_F(FdStoreTest, complains_when_the_ledger_is_full) {
    for (std::uint64_t other = 1; other <= 256; ++other)
        ASSERT_TRUE(ledger_.enter_own((1ULL << 62) + other));
    const auto http = bind("http");
    EXPECT_EQ(store_.push(http), "the ledger has no room for another listener: 'http' on " +
                                     http.endpoint.to_string() + " is not kept in the fd store");
    EXPECT_THAT(fake_.stored_names(), IsEmpty()) << "nobody would know whose it is";
}

class FdStoreWithCapacityTest : public testing::Test {
  protected:
    static constexpr std::size_t capacity = 2;
    FakeServiceManager fake_{capacity};
    const ScopedEnvironment notify_{"NOTIFY_SOCKET", fake_.address()};
    const ScopedEnvironment fdstore_{"FDSTORE", std::to_string(capacity)};
    Ledger ledger_;
};

TEST_F(FdStoreWithCapacityTest, complains_about_what_does_not_fit) {
    const ServiceManager manager;
    FdStore store(manager, ledger_);
    EXPECT_EQ(store.push_ledger(false), std::nullopt);
    EXPECT_EQ(store.push(bind("http")), std::nullopt) << "ledger and listener are two";
    const auto complaint = store.push(bind("admin"));
    ASSERT_TRUE(complaint);
    EXPECT_THAT(*complaint, HasSubstr("takes 2 descriptors"));
    EXPECT_THAT(*complaint, HasSubstr("'admin'"));
    EXPECT_THAT(*complaint, HasSubstr("FileDescriptorStoreMax="));
    EXPECT_THAT(fake_.stored_names(), UnorderedElementsAre("ledger", "http"))
        << "and it is true: the third did not fit";
}

TEST_F(FdStoreWithCapacityTest, complains_about_a_store_that_takes_nothing) {
    const ScopedEnvironment none("FDSTORE", "0");
    const ServiceManager manager;
    FdStore store(manager, ledger_);
    const auto complaint = store.push_ledger(false);
    ASSERT_TRUE(complaint);
    EXPECT_THAT(*complaint, HasSubstr("takes 0 descriptors"));
}

TEST(FdStoreWithoutManager, complains_about_nothing) {
    const ScopedEnvironment notify("NOTIFY_SOCKET", std::nullopt);
    const ScopedEnvironment capacity("FDSTORE", "0");
    const ServiceManager manager;
    Ledger ledger;
    FdStore store(manager, ledger);
    EXPECT_EQ(store.push_ledger(false), std::nullopt);
    const auto http = bind("http");
    EXPECT_EQ(store.push(http), std::nullopt);
    EXPECT_TRUE(store.owns(http)) << "a unix path has to be unlinked at the end all the same";
}

}  // namespace
}  // namespace handover::test
