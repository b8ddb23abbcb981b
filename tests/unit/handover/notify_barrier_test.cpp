// SPDX-License-Identifier: MIT
#include "handover/systemd/notify_barrier.h"

#include "support/fake_service_manager.h"
#include "support/open_descriptors.h"
#include "support/scoped_environment.h"
#include "unit/handover/test_loop.h"

#include <gtest/gtest.h>

#include <optional>

namespace handover::test {
namespace {

using Outcome = NotifyBarrier::Outcome;

class NotifyBarrierTest : public testing::Test {
  protected:
    Outcome wait_for(const ServiceManager& manager) {
        std::optional<Outcome> outcome;
        NotifyBarrier barrier(loop_, manager);
        barrier.begin([&](Outcome result) {
            EXPECT_FALSE(outcome) << "called twice";
            outcome = result;
            loop_.stop();
        });
        EXPECT_FALSE(outcome) << "not before the loop runs";
        loop_.run_to_the_end();
        return outcome.value();
    }

    TestLoop loop_;
};

TEST_F(NotifyBarrierTest, ends_when_the_manager_has_processed_what_it_was_sent) {
    FakeServiceManager fake;
    const ScopedEnvironment notify("NOTIFY_SOCKET", fake.address());
    const ServiceManager manager;
    manager.status("before");
    EXPECT_EQ(wait_for(manager), Outcome::processed);
    ASSERT_FALSE(fake.messages().empty());
    EXPECT_EQ(fake.messages()[0].text, "STATUS=before");
}

TEST_F(NotifyBarrierTest, ends_at_once_without_a_manager) {
    const ScopedEnvironment notify("NOTIFY_SOCKET", std::nullopt);
    EXPECT_EQ(wait_for(ServiceManager()), Outcome::absent);
}

TEST_F(NotifyBarrierTest, does_not_call_back_once_it_is_cancelled) {
    const ScopedEnvironment notify("NOTIFY_SOCKET", std::nullopt);
    const ServiceManager manager;
    NotifyBarrier barrier(loop_, manager);
    const auto before = open_descriptors();
    barrier.begin([](Outcome) { ADD_FAILURE() << "called"; });
    barrier.cancel();
    EXPECT_EQ(open_descriptors(), before);
    loop_.post([this] { loop_.post([this] { loop_.stop(); }); });
    loop_.run_to_the_end();
}

}  // namespace
}  // namespace handover::test
