// SPDX-License-Identifier: MIT
#include "handover/endpoint.h"

#include "handover/error.h"
#include "support/listening.h"
#include "support/temporary_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <string>

namespace handover::test {
namespace {

using testing::HasSubstr;

struct Readable {
    std::string text;
    std::string normal;  ///< as to_string() writes it
    sa_family_t family;
    std::uint16_t port;
};

const Readable readable[] = {
    {"[::]:9999", "[::]:9999", AF_INET6, 9999},
    {":9999", "[::]:9999", AF_INET6, 9999},
    {"[::1]:0", "[::1]:0", AF_INET6, 0},
    {"[0:0::1]:65535", "[::1]:65535", AF_INET6, 65535},
    {"[::ffff:10.0.0.1]:80", "[::ffff:10.0.0.1]:80", AF_INET6, 80},
    {"0.0.0.0:80", "0.0.0.0:80", AF_INET, 80},
    {"127.0.0.1:0", "127.0.0.1:0", AF_INET, 0},
    {"127.0.0.1:0080", "127.0.0.1:80", AF_INET, 80},
    {"unix:/run/x.sock", "unix:/run/x.sock", AF_UNIX, 0},
    {"unix:/run/with:colon", "unix:/run/with:colon", AF_UNIX, 0},
    {"unix:@name", "unix:@name", AF_UNIX, 0},
};

TEST(Endpoint, reads_every_form_and_writes_its_normal_form) {
    for (const auto& [text, normal, family, port] : readable) {
        SCOPED_TRACE(text);
        const auto endpoint = Endpoint::parse(text);
        EXPECT_EQ(endpoint.to_string(), normal);
        EXPECT_EQ(endpoint.family(), family);
        EXPECT_EQ(endpoint.port(), port);
        EXPECT_EQ(Endpoint::parse(endpoint.to_string()), endpoint);
    }
}

struct Unreadable {
    std::string text;
    std::string fault;  ///< what the error must say beside the text
};

const Unreadable unreadable[] = {
    {"", "no ':port'"},
    {"9999", "no ':port'"},
    {"127.0.0.1", "no ':port'"},
    {":", "the port '' is not a number"},
    {"127.0.0.1:", "the port '' is not a number"},
    {":http", "'http' is not a number"},
    {":80 ", "'80 ' is not a number"},
    {":+80", "'+80' is not a number"},
    {":-1", "'-1' is not a number"},
    {":0x50", "'0x50' is not a number"},
    {":65536", "65536 is above 65535"},
    {":4294967376", "4294967376 is above 65535"},
    {":99999999999999999999", "99999999999999999999 is above 65535"},
    {"localhost:80", "'localhost' is not an IP address"},
    {"127.0.0.256:80", "'127.0.0.256' is not an IP address"},
    {"127.1:80", "'127.1' is not an IP address"},
    {"::1:80", "needs brackets"},
    {"::", "needs brackets"},
    {"[::1:80", "the ']' is missing"},
    {"[::1]80", "the ']' is missing"},
    {"[127.0.0.1]:80", "'127.0.0.1' is not an IPv6 address"},
    {"[]:80", "'' is not an IPv6 address"},
    {"[::1%lo]:80", "'::1%lo' is not an IPv6 address"},
    {"unix:", "the path is empty"},
    {"unix:@", "the path is empty"},
    {"unix:relative", "the path is not absolute"},
    {std::string("unix:/a\0b", 9), "NUL byte"},
    {"unix:/" + std::string(107, 'x'), "longer than 107 bytes"},
    {"unix:@" + std::string(108, 'x'), "longer than 107 bytes"},
};

TEST(Endpoint, names_the_text_and_its_fault) {
    for (const auto& [text, fault] : unreadable) {
        SCOPED_TRACE(text);
        try {
            (void)Endpoint::parse(text);
            ADD_FAILURE() << "was accepted";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), Error::Kind::config);
            EXPECT_EQ(error.exit_status(), 78);
            EXPECT_THAT(error.what(), HasSubstr(text.c_str()));
            EXPECT_THAT(error.what(), HasSubstr(fault));
        }
    }
}

TEST(Endpoint, takes_the_longest_unix_names) {
    const auto path = "unix:/" + std::string(106, 'x');
    EXPECT_EQ(Endpoint::parse(path).to_string(), path);
    const auto name = "unix:@" + std::string(107, 'x');
    EXPECT_EQ(Endpoint::parse(name).to_string(), name);
}

TEST(Endpoint, tells_the_file_of_a_unix_socket_and_of_nothing_else) {
    EXPECT_EQ(Endpoint::parse("unix:/run/x.sock").unix_path(), "/run/x.sock");
    EXPECT_EQ(Endpoint::parse("unix:@name").unix_path(), "");
    EXPECT_EQ(Endpoint::parse("[::]:9999").unix_path(), "");
}

TEST(Endpoint, gives_an_abstract_name_no_byte_too_many) {
    const auto endpoint = Endpoint::parse("unix:@name");
    EXPECT_EQ(endpoint.address_length(), offsetof(sockaddr_un, sun_path) + 5);
    const auto* un = reinterpret_cast<const sockaddr_un*>(endpoint.address());
    EXPECT_EQ(std::string(un->sun_path, 5), std::string("\0name", 5));
}

TEST(Endpoint, matches_what_is_equal_or_equal_but_for_port_zero) {
    const auto matches = [](const char* wanted, const char* bound) {
        return Endpoint::parse(wanted).matches(Endpoint::parse(bound));
    };
    EXPECT_TRUE(matches("127.0.0.1:80", "127.0.0.1:80"));
    EXPECT_TRUE(matches("127.0.0.1:0", "127.0.0.1:80"));
    EXPECT_TRUE(matches("[::1]:0", "[::1]:80"));
    EXPECT_TRUE(matches(":80", "[::]:80"));
    EXPECT_TRUE(matches("unix:/x", "unix:/x"));
    EXPECT_TRUE(matches("unix:@x", "unix:@x"));

    EXPECT_FALSE(matches("127.0.0.1:80", "127.0.0.1:81"));
    EXPECT_FALSE(matches("127.0.0.1:80", "127.0.0.1:0")) << "only the wanted port may be open";
    EXPECT_FALSE(matches("127.0.0.1:0", "127.0.0.2:80"));
    EXPECT_FALSE(matches("[::1]:0", "[::]:80"));
    EXPECT_FALSE(matches("0.0.0.0:0", "[::]:80"));
    EXPECT_FALSE(matches("unix:/x", "unix:/y"));
    EXPECT_FALSE(matches("unix:/x", "unix:@x"));
    EXPECT_FALSE(matches("127.0.0.1:0", "unix:/x"));
}

TEST(Endpoint, knows_what_only_this_machine_reaches) {
    for (const char* text : {"127.0.0.1:80", "127.1.2.3:0", "[::1]:80"})
        EXPECT_TRUE(Endpoint::parse(text).is_loopback()) << text;
    for (const char* text : {"0.0.0.0:80", "128.0.0.1:80", "10.0.0.127:80", "[::]:80", ":80",
                             "[2001:db8::1]:80", "unix:/run/x.sock", "unix:@x"})
        EXPECT_FALSE(Endpoint::parse(text).is_loopback()) << text;
}

TEST(Endpoint, is_read_from_a_bound_socket) {
    const TemporaryDirectory directory;
    const auto path = "unix:" + (directory / "x.sock").string();
    const ListeningSocket file(path);
    EXPECT_EQ(Endpoint::of_socket(file.fd())->to_string(), path);

    const ListeningSocket ip4("127.0.0.1:0");
    const auto endpoint = Endpoint::of_socket(ip4.fd());
    ASSERT_TRUE(endpoint);
    EXPECT_NE(endpoint->port(), 0);
    EXPECT_TRUE(Endpoint::parse("127.0.0.1:0").matches(*endpoint));

    const auto name = "unix:@" + directory.path().filename().string();
    const ListeningSocket abstract(name);
    EXPECT_EQ(Endpoint::of_socket(abstract.fd())->to_string(), name);
}

TEST(Endpoint, is_not_read_from_what_has_none) {
    const UniqueFd unnamed(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_FALSE(Endpoint::of_socket(unnamed.get()));
    const UniqueFd netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
    EXPECT_FALSE(Endpoint::of_socket(netlink.get()));
    EXPECT_FALSE(Endpoint::of_socket(-1));
}

}  // namespace
}  // namespace handover::test
