// SPDX-License-Identifier: MIT
#include "handover/connections/connection_import.h"

#include "handover/connections/connection_message.h"
#include "unit/handover/connections.h"
#include "unit/handover/fake_service.h"
#include "unit/handover/test_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/socket.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace handover::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ConnectionImportTest : public testing::Test {
  protected:
    ConnectionImportTest() { group_.add(web_, {{"http", Endpoint::parse("127.0.0.1:0")}}); }

    static Message connections(TestConnection& one) {
        std::deque<ParkedConnection> waiting;
        waiting.push_back(std::move(one.parked));
        return pack(waiting);
    }
    static Message hello(const std::string& generation) {
        auto message = Message::of(Message::Type::hello);
        message.fields = {{Message::Tag::generation, generation}, {Message::Tag::stored, "1"}};
        return message;
    }
    static Message end_of(std::uint64_t opened, std::uint64_t moved) {
        ConnectionCounts counts;
        counts.opened = opened;
        counts[CloseReason::moved] = moved;
        return end_message(counts);
    }

    TestLoop loop_;
    FakeService web_;
    ServiceGroup group_{loop_};
    std::vector<std::string> warnings_;
    ConnectionImport import_{group_,
                             [this](const std::string& text) { warnings_.push_back(text); }};
};

TEST_F(ConnectionImportTest, are_told_when_their_listener_is_configured_no_more) {
    TestConnection one("http", "GET");
    TestConnection other("http", "POST");
    ConnectionImport importer(
        group_, [](const std::string&) {},
        [](const ParkedConnection& connection) { return connection.unread == "GET"; });
    importer.take(connections(one));
    importer.take(connections(other));
    ASSERT_EQ(web_.adopted.size(), 2U);
    EXPECT_TRUE(web_.adopted[0].close_after_response);
    EXPECT_FALSE(web_.adopted[1].close_after_response);
    EXPECT_EQ(importer.account().adopted, 2U) << "they are served all the same";
}

TEST_F(ConnectionImportTest, go_to_the_service_that_wants_their_listener) {
    TestConnection one("http", "GET");
    import_.take(connections(one));
    EXPECT_THAT(web_.calls, ElementsAre("adopt http 'GET'"));
    ASSERT_EQ(web_.adopted.size(), 1U);
    EXPECT_TRUE(is_connected_to(web_.adopted[0].fd, one.client));
    EXPECT_EQ(import_.account().adopted, 1U);
    EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(ConnectionImportTest, of_a_listener_that_is_not_configured_any_more_are_closed_politely) {
    TestConnection old("old");
    ASSERT_EQ(::send(old.client.get(), "GET /", 5, MSG_NOSIGNAL), 5);
    import_.take(connections(old));
    EXPECT_TRUE(is_closed(old.client)) << "an end, not a reset, though something was unread";
    EXPECT_EQ(import_.account().unclaimed, 1U);
    EXPECT_EQ(import_.account().adopted, 0U);
    EXPECT_THAT(warnings_, ElementsAre(HasSubstr("'old'")));
    import_.take(connections(old = TestConnection("old")));
    EXPECT_EQ(import_.account().unclaimed, 2U);
    EXPECT_EQ(warnings_.size(), 1U) << "once is enough";
}

TEST_F(ConnectionImportTest, come_out_of_a_stored_channel_with_the_account_of_who_left_them) {
    auto [ours, theirs] = Channel::make_pair();
    TestConnection a;
    TestConnection b;
    (void)ours.send(hello("4"));
    (void)ours.send(connections(a));
    (void)ours.send(connections(b));
    (void)ours.send(end_of(3, 2));
    import_.take_all(theirs);
    const auto& account = import_.account();
    EXPECT_EQ(account.from, 4U);
    EXPECT_EQ(account.how, "restart");
    EXPECT_EQ(account.adopted, 2U);
    ASSERT_TRUE(account.ended);
    EXPECT_EQ(account.ended->opened, 3U);
    EXPECT_EQ((*account.ended)[CloseReason::moved], 2U);
}

TEST_F(ConnectionImportTest, of_several_generations_are_counted_together) {
    for (const std::string generation : {"5", "4"}) {
        auto [ours, theirs] = Channel::make_pair();
        TestConnection one;
        (void)ours.send(hello(generation));
        (void)ours.send(connections(one));
        (void)ours.send(end_of(1, 1));
        import_.take_all(theirs);
    }
    EXPECT_EQ(import_.account().from, 5U) << "the latest";
    EXPECT_EQ(import_.account().adopted, 2U);
    EXPECT_EQ(import_.account().ended->opened, 2U);
}

TEST_F(ConnectionImportTest, out_of_a_channel_that_was_never_finished_are_adopted_as_well) {
    auto [ours, theirs] = Channel::make_pair();
    TestConnection one;
    (void)ours.send(hello("4"));
    (void)ours.send(connections(one));
    import_.take_all(theirs);
    EXPECT_EQ(import_.account().adopted, 1U);
    EXPECT_FALSE(import_.account().ended);
}

TEST_F(ConnectionImportTest, that_cannot_be_read_are_closed_and_reported_and_the_rest_goes_on) {
    auto [ours, theirs] = Channel::make_pair();
    TestConnection lost;
    TestConnection kept;
    (void)ours.send(hello("9"));
    auto later = encode(Message::of(Message::Type::end));
    later[4] = 99;  // of a protocol version to come
    ASSERT_GT(::send(ours.fd(), later.data(), later.size(), MSG_NOSIGNAL), 0);
    auto wrong = connections(lost);
    wrong.fields.clear();  // descriptors that nobody describes
    (void)ours.send(wrong);
    wrong.fds.clear();
    (void)ours.send(connections(kept));
    import_.take_all(theirs);
    EXPECT_EQ(import_.account().unreadable, 2U);
    EXPECT_TRUE(is_closed(lost.client));
    EXPECT_EQ(import_.account().adopted, 1U);
    EXPECT_THAT(warnings_, testing::Each(HasSubstr("generation 9")));
}

}  // namespace
}  // namespace handover::test
