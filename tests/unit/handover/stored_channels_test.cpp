// SPDX-License-Identifier: MIT
#include "handover/connections/stored_channels.h"

#include "support/fake_service_manager.h"
#include "support/open_descriptors.h"
#include "support/scoped_environment.h"
#include "unit/handover/test_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <utility>

namespace handover::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class StoredChannelsTest : public testing::Test {
  protected:
    std::optional<Channel> open(const ServiceManager& manager) {
        auto hello = Message::of(Message::Type::hello);
        hello.fields.emplace_back(Message::Tag::generation, "7");
        StoredChannels channels(loop_, manager, hello);
        std::optional<Channel> result;
        channels.open([&](std::optional<Channel> channel) {
            result = std::move(channel);
            loop_.stop();
        });
        loop_.run_to_the_end();
        return result;
    }

    TestLoop loop_;
};

TEST_F(StoredChannelsTest, are_stored_unwatched_before_anything_is_in_them) {
    FakeServiceManager fake;
    const ScopedEnvironment notify("NOTIFY_SOCKET", fake.address());
    const auto channel = open(ServiceManager());
    ASSERT_TRUE(channel);
    EXPECT_THAT(fake.stored_names(), ElementsAre("channel"));
    EXPECT_TRUE(fake.wait_for_message_saying("FDPOLL=0")) << "it hangs up when we end";

    const Channel stored(fake.stored("channel"));
    EXPECT_TRUE(stored.is_stored());
    Message message;
    ASSERT_EQ(stored.receive(message), Channel::Received::message);
    EXPECT_EQ(message.type, Message::Type::hello);
    EXPECT_EQ(message.number(Message::Tag::generation), 7U);
    ASSERT_EQ(channel->send(Message::of(Message::Type::end)), Channel::Sent::sent);
    ASSERT_EQ(stored.receive(message), Channel::Received::message) << "of our end";
    EXPECT_EQ(message.type, Message::Type::end);
}

TEST_F(StoredChannelsTest, are_not_opened_if_the_store_is_full) {
    FakeServiceManager fake(/*fd_store_max=*/0);
    const ScopedEnvironment notify("NOTIFY_SOCKET", fake.address());
    const auto before = open_descriptors().size();
    EXPECT_FALSE(open(ServiceManager()));
    EXPECT_THAT(fake.stored_names(), IsEmpty());
    EXPECT_EQ(open_descriptors().size(), before);
}

TEST_F(StoredChannelsTest, are_not_opened_without_a_service_manager) {
    const ScopedEnvironment notify("NOTIFY_SOCKET", std::nullopt);
    EXPECT_FALSE(open(ServiceManager()));
}

TEST_F(StoredChannelsTest, may_be_opened_by_a_generation_that_fell_silent) {
    FakeServiceManager fake;
    const ScopedEnvironment notify("NOTIFY_SOCKET", fake.address());
    ServiceManager manager;
    manager.fall_silent();
    EXPECT_TRUE(open(manager));
    EXPECT_THAT(fake.stored_names(), ElementsAre("channel"));
}

}  // namespace
}  // namespace handover::test
