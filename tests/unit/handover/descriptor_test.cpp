// SPDX-License-Identifier: MIT
#include "handover/base/descriptor.h"

#include "handover/error.h"
#include "support/listening.h"
#include "support/open_descriptors.h"
#include "support/pipe.h"
#include "support/temporary_directory.h"

#include <gtest/gtest.h>

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <string>

namespace handover::test {
namespace {

using Kind = Descriptor::Kind;

TEST(Descriptor, knows_a_listener_and_where_it_listens) {
    for (const char* address : {"127.0.0.1:0", "[::1]:0"}) {
        const ListeningSocket listening(address);
        const auto what = Descriptor::examine(listening.fd());
        EXPECT_EQ(what.kind, Kind::stream_listener);
        ASSERT_TRUE(what.endpoint);
        EXPECT_EQ(*what.endpoint, listening.endpoint());
        EXPECT_EQ(what.description,
                  "a stream socket listening on " + listening.endpoint().to_string());
    }
}

TEST(Descriptor, knows_a_unix_listener) {
    const TemporaryDirectory directory;
    const auto address = "unix:" + (directory / "x.sock").string();
    const ListeningSocket listening(address);
    const auto what = Descriptor::examine(listening.fd());
    EXPECT_EQ(what.kind, Kind::stream_listener);
    EXPECT_EQ(what.description, "a stream socket listening on " + address);
}

struct Sample {
    int fd;
    Kind kind;
    std::string description;
};

TEST(Descriptor, says_what_is_not_a_listener) {
    const Pipe pipe;
    const auto socket_of = [](int type) {
        return UniqueFd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    };
    const auto stream = socket_of(SOCK_STREAM);
    const auto datagram = socket_of(SOCK_DGRAM);
    const auto seqpacket = socket_of(SOCK_SEQPACKET);
    const UniqueFd memory(::memfd_create("test", MFD_CLOEXEC));
    const UniqueFd file(::open("/proc/self/status", O_RDONLY | O_CLOEXEC));
    const UniqueFd directory(::open("/", O_RDONLY | O_CLOEXEC));
    const UniqueFd device(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const UniqueFd event(::eventfd(0, EFD_CLOEXEC));
    const Sample samples[] = {
        {stream.get(), Kind::stream, "a stream socket that is not listening"},
        {datagram.get(), Kind::other_socket, "a datagram socket"},
        {seqpacket.get(), Kind::seqpacket, "a sequential-packet socket"},
        {memory.get(), Kind::memory, "a memory file"},
        {file.get(), Kind::other, "a regular file"},
        {directory.get(), Kind::other, "a directory"},
        {device.get(), Kind::other, "a character device"},
        {pipe.in.get(), Kind::other, "a pipe"},
        {event.get(), Kind::other, "a descriptor that is neither a socket nor a file"},
    };
    for (const auto& sample : samples) {
        const auto what = Descriptor::examine(sample.fd);
        EXPECT_EQ(what.description, sample.description);
        EXPECT_EQ(what.kind, sample.kind) << sample.description;
        EXPECT_FALSE(what.endpoint) << sample.description;
    }
}

TEST(Descriptor, says_that_a_listening_packet_socket_is_no_stream_listener) {
    const TemporaryDirectory directory;
    const auto endpoint = Endpoint::parse("unix:" + (directory / "x.sock").string());
    const UniqueFd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::bind(fd.get(), endpoint.address(), endpoint.address_length()), 0);
    ASSERT_EQ(::listen(fd.get(), 1), 0);
    EXPECT_EQ(Descriptor::examine(fd.get()).kind, Kind::other_socket);
}

TEST(Descriptor, says_that_a_closed_one_is_not_open) {
    int number = -1;
    {
        const Pipe pipe;
        number = pipe.in.get();
    }
    const auto what = Descriptor::examine(number);
    EXPECT_EQ(what.kind, Kind::closed);
    EXPECT_EQ(what.description, "not open");
}

TEST(Descriptor, recognises_a_socket_by_its_cookie) {
    const ListeningSocket one("127.0.0.1:0");
    const ListeningSocket other("127.0.0.1:0");
    const UniqueFd twin(::fcntl(one.fd(), F_DUPFD_CLOEXEC, 3));
    const auto cookie = Descriptor::examine(one.fd()).cookie;
    EXPECT_NE(cookie, 0U);
    EXPECT_EQ(Descriptor::examine(twin.get()).cookie, cookie);
    EXPECT_NE(Descriptor::examine(other.fd()).cookie, cookie);
    const Pipe no_socket;
    EXPECT_EQ(Descriptor::examine(no_socket.in.get()).cookie, 0U);
}

TEST(Descriptor, changes_nothing_by_looking) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const UniqueFd in(ends[0]);
    const UniqueFd out(ends[1]);
    const auto before = open_descriptors();
    (void)Descriptor::examine(in.get());
    EXPECT_FALSE(is_cloexec(in.get()));
    EXPECT_FALSE(is_nonblocking(in.get()));
    EXPECT_EQ(open_descriptors(), before);
}

TEST(SetNonblock, keeps_other_flags) {
    const TemporaryDirectory directory;
    const auto path = directory / "file";
    const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600));
    set_nonblock(fd.get());
    EXPECT_FALSE(is_cloexec(fd.get()));
    EXPECT_TRUE(is_nonblocking(fd.get()));
    EXPECT_NE(::fcntl(fd.get(), F_GETFL) & O_APPEND, 0);
}

TEST(SetCloexec, changes_nothing_that_others_share) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const UniqueFd in(ends[0]);
    const UniqueFd out(ends[1]);
    set_cloexec(in.get());
    EXPECT_TRUE(is_cloexec(in.get()));
    EXPECT_FALSE(is_nonblocking(in.get()));
}

/// What it says of a descriptor that is not open.
std::string complaint_of(void (*set)(int)) {
    try {
        set(-1);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), Error::Kind::os);
        EXPECT_EQ(error.exit_status(), 71);
        return error.what();
    }
    return "nothing thrown";
}

TEST(SetCloexec, names_the_descriptor_that_is_not_open) {
    EXPECT_EQ(complaint_of(set_cloexec),
              "cannot set CLOEXEC on descriptor -1: Bad file descriptor");
}

TEST(SetNonblock, names_the_descriptor_that_is_not_open) {
    EXPECT_EQ(complaint_of(set_nonblock),
              "cannot set O_NONBLOCK on descriptor -1: Bad file descriptor");
}

}  // namespace
}  // namespace handover::test
