// SPDX-License-Identifier: MIT
#include "handover/peer/channel.h"

#include "support/descriptor_limit.h"
#include "support/open_descriptors.h"
#include "support/pipe.h"
#include "unit/handover/golden_messages.h"

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace handover::test {
namespace {

using Tag = Message::Tag;
using Type = Message::Type;

/// Anything at all, with descriptors, past encode().
void send_raw(const Channel& channel, std::string bytes, const std::vector<int>& fds = {}) {
    iovec part{bytes.data(), bytes.size()};
    std::vector<char> control(fds.empty() ? 0 : CMSG_SPACE(fds.size() * sizeof(int)));
    msghdr packet{};
    packet.msg_iov = &part;
    packet.msg_iovlen = 1;
    if (!fds.empty()) {
        packet.msg_control = control.data();
        packet.msg_controllen = control.size();
        cmsghdr* rights = CMSG_FIRSTHDR(&packet);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
        std::memcpy(CMSG_DATA(rights), fds.data(), fds.size() * sizeof(int));
    }
    ASSERT_EQ(::sendmsg(channel.fd(), &packet, MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
}

TEST(Channel, is_close_on_exec_and_does_not_block) {
    const auto pair = Channel::make_pair();
    for (const int fd : {pair.first.fd(), pair.second.fd()}) {
        EXPECT_TRUE(is_cloexec(fd));
        EXPECT_TRUE(is_nonblocking(fd));
    }
}

TEST(Channel, carries_messages_both_ways_and_keeps_them_apart) {
    const auto [a, b] = Channel::make_pair();
    ASSERT_EQ(a.send(message_of(Type::hello, {{Tag::version, "a"}})), Channel::Sent::sent);
    ASSERT_EQ(a.send(message_of(Type::go)), Channel::Sent::sent);
    ASSERT_EQ(b.send(message_of(Type::ready)), Channel::Sent::sent);
    Message message;
    ASSERT_EQ(b.receive(message), Channel::Received::message);
    EXPECT_EQ(message.type, Type::hello);
    EXPECT_EQ(message.field(Tag::version), "a");
    ASSERT_EQ(b.receive(message), Channel::Received::message);
    EXPECT_EQ(message.type, Type::go);
    EXPECT_TRUE(message.fields.empty()) << "nothing is left of the message before";
    EXPECT_EQ(b.receive(message), Channel::Received::nothing);
    ASSERT_EQ(a.receive(message), Channel::Received::message);
    EXPECT_EQ(message.type, Type::ready);
}

TEST(Channel, carries_the_longest_field_that_can_be_written) {
    const auto [a, b] = Channel::make_pair();
    ASSERT_EQ(a.send(message_of(Type::failed, {{Tag::reason, std::string(70'000, 'x')}})),
              Channel::Sent::sent);
    Message message;
    ASSERT_EQ(b.receive(message), Channel::Received::message);
    EXPECT_EQ(message.field(Tag::reason).size(), 65'535U);
}

TEST(Channel, says_that_the_other_end_is_gone) {
    auto pair = Channel::make_pair();
    { const Channel gone(std::move(pair.first)); }
    EXPECT_EQ(pair.second.send(message_of(Type::ready)), Channel::Sent::closed) << "and no SIGPIPE";
    Message message;
    EXPECT_EQ(pair.second.receive(message), Channel::Received::closed);
}

TEST(Channel, delivers_what_was_sent_before_the_end) {
    auto pair = Channel::make_pair();
    {
        const Channel gone(std::move(pair.first));
        ASSERT_EQ(gone.send(message_of(Type::failed, {{Tag::reason, "last words"}})),
                  Channel::Sent::sent);
    }
    Message message;
    ASSERT_EQ(pair.second.receive(message), Channel::Received::message);
    EXPECT_EQ(message.field(Tag::reason), "last words");
    EXPECT_EQ(pair.second.receive(message), Channel::Received::closed);
}

TEST(Channel, sends_nothing_into_a_full_buffer) {
    const auto [a, b] = Channel::make_pair();
    const auto large = message_of(Type::failed, {{Tag::reason, std::string(30'000, 'x')}});
    std::size_t sent = 0;
    while (a.send(large) == Channel::Sent::sent && sent < 10'000) ++sent;
    ASSERT_LT(sent, 10'000U) << "a buffer has an end";
    Message message;
    std::size_t received = 0;
    while (b.receive(message) == Channel::Received::message) ++received;
    EXPECT_EQ(received, sent);
    EXPECT_EQ(a.send(large), Channel::Sent::sent) << "there is room again";
}

TEST(Channel, owns_the_descriptors_that_come_with_a_message) {
    const auto [a, b] = Channel::make_pair();
    const Pipe pipe;
    const auto before = open_descriptors();
    {
        send_raw(a, golden_ready, {pipe.in.get(), pipe.out.get()});
        Message message;
        ASSERT_EQ(b.receive(message), Channel::Received::message);
        ASSERT_EQ(message.fds.size(), 2U);
        for (const auto& fd : message.fds) EXPECT_TRUE(is_cloexec(fd.get()));
        EXPECT_EQ(::write(message.fds[1].get(), "x", 1), 1);
    }
    EXPECT_EQ(open_descriptors(), before);
    EXPECT_TRUE(wait_for_input(pipe.in.get()));
}

TEST(Channel, takes_as_many_descriptors_as_the_kernel_sends) {
    const auto [a, b] = Channel::make_pair();
    const Pipe pipe;
    send_raw(a, golden_ready, std::vector<int>(253, pipe.in.get()));
    Message message;
    ASSERT_EQ(b.receive(message), Channel::Received::message);
    EXPECT_EQ(message.fds.size(), 253U);
}

TEST(Channel, closes_the_descriptors_of_a_refused_message) {
    const auto [a, b] = Channel::make_pair();
    const Pipe pipe;
    const auto before = open_descriptors();
    for (const auto& [what, bytes] : malformed) {
        if (bytes.empty()) continue;  // a packet of no bytes looks like the end
        send_raw(a, bytes, {pipe.in.get(), pipe.out.get()});
        Message message;
        EXPECT_EQ(b.receive(message), Channel::Received::refused) << what;
        EXPECT_EQ(open_descriptors(), before) << what;
    }
}

TEST(Channel, refuses_a_packet_that_is_too_large_and_goes_on) {
    const auto [a, b] = Channel::make_pair();
    const Pipe pipe;
    const auto before = open_descriptors();
    send_raw(a, golden_ready + std::string(100'000, '\0'), {pipe.in.get()});
    send_raw(a, golden_go);
    Message message;
    EXPECT_EQ(b.receive(message), Channel::Received::refused);
    EXPECT_EQ(open_descriptors(), before);
    ASSERT_EQ(b.receive(message), Channel::Received::message);
    EXPECT_EQ(message.type, Type::go);
}

TEST(Channel, refuses_a_message_whose_descriptors_it_may_not_all_have_and_goes_on) {
    const auto [a, b] = Channel::make_pair();
    const Pipe pipe;
    const auto before = open_descriptors();
    send_raw(a, golden_ready, std::vector<int>(100, pipe.in.get()));
    send_raw(a, golden_go, {pipe.in.get()});
    Message message;
    {
        const DescriptorLimit limit(static_cast<rlim_t>(pipe.out.get()) + 50);
        EXPECT_EQ(b.receive(message), Channel::Received::refused);
        EXPECT_EQ(b.receive(message), Channel::Received::message);
    }
    EXPECT_EQ(message.type, Type::go);
    message = {};
    EXPECT_EQ(open_descriptors(), before);
}

TEST(Channel, duplicate_is_the_same_end) {
    const auto [a, b] = Channel::make_pair();
    const auto before = open_descriptors();
    {
        const auto second = a.duplicate();
        EXPECT_TRUE(is_cloexec(second.fd()));
        ASSERT_EQ(second.send(message_of(Type::go)), Channel::Sent::sent);
    }
    EXPECT_EQ(open_descriptors(), before);
    Message message;
    ASSERT_EQ(b.receive(message), Channel::Received::message);
    EXPECT_FALSE(b.hung_up()) << "the other one is still open";
}

/// In a process of its own, which has ended on return.
pid_t send_as_somebody_else(const Channel& channel, const std::string& bytes) {
    const pid_t child = ::fork();
    if (child == 0) {
        const bool sent = ::send(channel.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0;
        ::_exit(sent ? 0 : 1);
    }
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    return child;
}

TEST(Channel, says_who_has_sent_what_if_that_has_been_noted) {
    auto [a, b] = Channel::make_pair();
    b.note_senders();
    const Pipe pipe;
    Message message;
    pid_t sender = 0;
    for (const auto& [bytes, received] : {std::pair(golden_ready, Channel::Received::message),
                                          std::pair("garbage"s, Channel::Received::refused),
                                          std::pair(""s, Channel::Received::refused)}) {
        const auto other = send_as_somebody_else(a, bytes);
        EXPECT_EQ(b.receive(message, sender), received) << bytes;
        EXPECT_EQ(sender, other) << bytes;
        send_raw(a, bytes, std::vector<int>(253, pipe.in.get()));
        EXPECT_EQ(b.receive(message, sender), received) << bytes;
        EXPECT_EQ(sender, ::getpid()) << bytes;
    }
    sender = 0;
    EXPECT_EQ(b.receive(message, sender), Channel::Received::nothing);
    { const Channel gone(std::move(a)); }
    EXPECT_EQ(b.receive(message, sender), Channel::Received::closed);
    EXPECT_EQ(sender, 0);
}

TEST(Channel, notes_no_senders_unless_it_is_asked_to) {
    const auto [a, b] = Channel::make_pair();
    a.note_senders();
    send_raw(a, golden_ready);
    Message message;
    pid_t sender = 0;
    EXPECT_EQ(b.receive(message, sender), Channel::Received::message);
    EXPECT_EQ(sender, 0);
}

/// As somebody else may have made it.
TEST(Channel, never_waits_although_its_descriptor_would) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    const Channel a{UniqueFd(ends[0])};
    const Channel b{UniqueFd(ends[1])};
    Message message;
    EXPECT_EQ(b.receive(message), Channel::Received::nothing);
    EXPECT_FALSE(b.is_stored());
    EXPECT_FALSE(b.is_abandoned());
}

TEST(Channel, leaves_the_message_alone_when_there_is_none) {
    const auto [a, b] = Channel::make_pair();
    auto message = message_of(Type::failed, {{Tag::reason, "kept"}});
    EXPECT_EQ(b.receive(message), Channel::Received::nothing);
    send_raw(a, "garbage");
    EXPECT_EQ(b.receive(message), Channel::Received::refused);
    EXPECT_EQ(message.field(Tag::reason), "kept");
}

TEST(Channel, knows_what_waits_in_the_fd_store_as_it_always_was) {
    const auto [a, b] = Channel::make_pair();
    send_raw(a, golden_stored);
    EXPECT_TRUE(b.is_stored());
    const auto [c, d] = Channel::make_pair();
    send_raw(c, golden_hello);
    EXPECT_FALSE(d.is_stored());
}

}  // namespace
}  // namespace handover::test
