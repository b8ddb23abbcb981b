// SPDX-License-Identifier: MIT
#include "handover/peer/channel.h"

#include "support/descriptor_limit.h"
#include "support/open_descriptors.h"
#include "support/pipe.h"

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

using namespace std::string_literals;
using Tag = Message::Tag;
using Type = Message::Type;

Message message_of(Type type, std::vector<std::pair<Tag, std::string>> fields = {}) {
    Message message;
    message.type = type;
    message.fields = std::move(fields);
    return message;
}

// ---- golden bytes: what version 1 has written, every later version must read, and the other way

// "HOV1", version 1, type, length, reserved
const std::string golden_hello =
    "HOV1\x01\x00\x01\x00\x22\x00\x00\x00\x00\x00\x00\x00"
    "\x01\x00\x01\x00"
    "1"
    "\x02\x00\x01\x00"
    "4"
    "\x03\x00\x05\x00"
    "0.1.0"
    "\x04\x00\x0b\x00"
    "deadbeef012"s;
const std::string golden_ready = "HOV1\x01\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00"s;
const std::string golden_failed =
    "HOV1\x01\x00\x03\x00\x0b\x00\x00\x00\x00\x00\x00\x00"
    "\x05\x00\x07\x00"
    "no disk"s;
const std::string golden_go = "HOV1\x01\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00"s;

TEST(Channel, writes_version_1_as_it_always_was) {
    EXPECT_EQ(encode(message_of(Type::hello, {{Tag::protocol, "1"},
                                              {Tag::generation, "4"},
                                              {Tag::version, "0.1.0"},
                                              {Tag::build_id, "deadbeef012"}})),
              golden_hello);
    EXPECT_EQ(encode(message_of(Type::ready)), golden_ready);
    EXPECT_EQ(encode(message_of(Type::failed, {{Tag::reason, "no disk"}})), golden_failed);
    EXPECT_EQ(encode(message_of(Type::go)), golden_go);
}

TEST(Channel, reads_version_1_as_it_always_was) {
    const auto hello = decode(golden_hello);
    ASSERT_TRUE(hello);
    EXPECT_EQ(hello->type, Type::hello);
    EXPECT_EQ(hello->field(Tag::protocol), "1");
    EXPECT_EQ(hello->field(Tag::generation), "4");
    EXPECT_EQ(hello->field(Tag::version), "0.1.0");
    EXPECT_EQ(hello->field(Tag::build_id), "deadbeef012");
    EXPECT_EQ(hello->field(Tag::reason), "") << "not there";
    ASSERT_TRUE(decode(golden_ready));
    EXPECT_EQ(decode(golden_ready)->type, Type::ready);
    ASSERT_TRUE(decode(golden_failed));
    EXPECT_EQ(decode(golden_failed)->field(Tag::reason), "no disk");
    ASSERT_TRUE(decode(golden_go));
    EXPECT_EQ(decode(golden_go)->type, Type::go);
}

// The bytes of `connections` and `end`, version 2, are in connection_batch_test.cpp.

/// The first message of a channel that waits in the fd store.
const std::string golden_stored =
    "HOV1\x01\x00\x01\x00\x0f\x00\x00\x00\x00\x00\x00\x00"
    "\x01\x00\x01\x00"
    "2"
    "\x02\x00\x01\x00"
    "4"
    "\x06\x00\x01\x00"
    "1"s;

const std::string golden_promoted = "HOV1\x03\x00\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00"s;
const std::string golden_promote_me = "HOV1\x03\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00"s;
const std::string golden_stopping = "HOV1\x03\x00\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00"s;

const std::string golden_drain_quota =
    "HOV1\x03\x00\x0a\x00\x05\x00\x00\x00\x00\x00\x00\x00"
    "\x0a\x00\x01\x00"
    "3"s;

const std::string golden_health_check = "HOV1\x03\x00\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00"s;
const std::string golden_healthy = "HOV1\x03\x00\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00"s;

const std::string golden_restarting = "HOV1\x03\x00\x0d\x00\x00\x00\x00\x00\x00\x00\x00\x00"s;

TEST(Channel, writes_and_reads_version_3_as_it_always_was) {
    EXPECT_EQ(encode(message_of(Type::drain_quota, {{Tag::count, "3"}})), golden_drain_quota);
    ASSERT_TRUE(decode(golden_drain_quota));
    EXPECT_EQ(decode(golden_drain_quota)->number(Tag::count), 3U);
    for (const auto& [type, bytes] :
         {std::pair(Type::promoted, golden_promoted),
          std::pair(Type::promote_me, golden_promote_me),
          std::pair(Type::health_check, golden_health_check),
          std::pair(Type::healthy, golden_healthy), std::pair(Type::restarting, golden_restarting),
          std::pair(Type::stopping, golden_stopping)}) {
        EXPECT_EQ(encode(message_of(type)), bytes);
        ASSERT_TRUE(decode(bytes));
        EXPECT_EQ(decode(bytes)->type, type);
    }
}

TEST(Channel, writes_what_waits_in_the_fd_store_as_it_always_was) {
    EXPECT_EQ(encode(message_of(
                  Type::hello, {{Tag::protocol, "2"}, {Tag::generation, "4"}, {Tag::stored, "1"}})),
              golden_stored);
}

// ---- decode()

TEST(Channel, keeps_fields_that_it_does_not_know) {
    const auto message = decode(
        "HOV1\x01\x00\x02\x00\x0b\x00\x00\x00\x00\x00\x00\x00"
        "\xff\x7f\x02\x00"
        "hi"
        "\x05\x00\x01\x00"
        "r"s);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->field(static_cast<Tag>(0x7fff)), "hi");
    EXPECT_EQ(message->field(Tag::reason), "r");
}

TEST(Channel, answers_with_the_first_of_two_fields_with_a_tag) {
    EXPECT_EQ(message_of(Type::failed, {{Tag::reason, "a"}, {Tag::reason, "b"}}).field(Tag::reason),
              "a");
}

TEST(Channel, does_not_look_at_the_reserved_bytes) {
    EXPECT_TRUE(decode("HOV1\x01\x00\x02\x00\x00\x00\x00\x00\xff\xff\xff\xff"s));
}

TEST(Channel, carries_any_byte_in_a_field) {
    std::string all;
    for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
    const auto message = decode(encode(message_of(Type::failed, {{Tag::reason, all}})));
    ASSERT_TRUE(message);
    EXPECT_EQ(message->field(Tag::reason), all);
}

TEST(Channel, cuts_a_field_that_is_too_long) {
    const auto message =
        decode(encode(message_of(Type::failed, {{Tag::reason, std::string(70'000, 'x')}})));
    ASSERT_TRUE(message);
    EXPECT_EQ(message->field(Tag::reason), std::string(65'535, 'x'));
}

TEST(Channel, refuses_a_message_that_is_cut_off_anywhere) {
    for (std::size_t size = 0; size < golden_hello.size(); ++size)
        EXPECT_FALSE(decode(std::string_view(golden_hello).substr(0, size))) << size;
}

struct Malformed {
    const char* what;
    std::string bytes;
};

const Malformed malformed[] = {
    {"nothing", ""},
    {"trailing byte", golden_ready + "x"},
    {"two messages", golden_ready + golden_go},
    {"wrong magic", "HOV2" + golden_ready.substr(4)},
    {"magic of the other byte order", "1VOH" + golden_ready.substr(4)},
    {"newer version", "HOV1\x04\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00"s},
    {"newest version", "HOV1\xff\xff\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00"s},
    {"version 0", "HOV1\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00"s},
    {"type 0", "HOV1\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"s},
    {"unknown type", "HOV1\x01\x00\x0e\x00\x00\x00\x00\x00\x00\x00\x00\x00"s},
    {"largest type", "HOV1\x01\x00\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00"s},
    {"length too long", "HOV1\x01\x00\x02\x00\x01\x00\x00\x00\x00\x00\x00\x00"s},
    {"length of 4 GiB", "HOV1\x01\x00\x02\x00\xff\xff\xff\xff\x00\x00\x00\x00"s},
    {"half a field header", "HOV1\x01\x00\x02\x00\x03\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00"s},
    {"field longer than the message",
     "HOV1\x01\x00\x03\x00\x05\x00\x00\x00\x00\x00\x00\x00\x05\x00\x02\x00x"s},
    {"field of 65535 bytes that are not there",
     "HOV1\x01\x00\x03\x00\x04\x00\x00\x00\x00\x00\x00\x00\x05\x00\xff\xff"s},
};

TEST(Channel, refuses_what_is_not_one_well_formed_message) {
    for (const auto& [what, bytes] : malformed) EXPECT_FALSE(decode(bytes)) << what;
}

// ---- over a socket

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
