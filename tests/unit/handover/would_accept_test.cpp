// SPDX-License-Identifier: MIT
#include "handover/base/would_accept.h"

#include <gtest/gtest.h>

#include <string>

namespace handover::test {
namespace {

bool accepts(const std::string& listener, const std::string& local) {
    return would_accept(Endpoint::parse(listener), Endpoint::parse(local));
}

TEST(WouldAccept, its_own_address_and_port) {
    EXPECT_TRUE(accepts("127.0.0.1:80", "127.0.0.1:80"));
    EXPECT_FALSE(accepts("127.0.0.1:80", "127.0.0.2:80"));
    EXPECT_FALSE(accepts("127.0.0.1:80", "127.0.0.1:81"));
    EXPECT_TRUE(accepts("[::1]:80", "[::1]:80"));
    EXPECT_FALSE(accepts("[::1]:80", "[fe80::1]:80"));
}

TEST(WouldAccept, every_address_if_it_has_none) {
    EXPECT_TRUE(accepts("[::]:80", "[2001:db8::1]:80"));
    EXPECT_TRUE(accepts("[::]:80", "192.0.2.1:80"));
    EXPECT_TRUE(accepts("[::]:80", "[::ffff:192.0.2.1]:80"));
    EXPECT_FALSE(accepts("[::]:80", "[::1]:81"));
    EXPECT_TRUE(accepts("0.0.0.0:80", "192.0.2.1:80"));
    EXPECT_TRUE(accepts("0.0.0.0:80", "[::ffff:192.0.2.1]:80"));
    EXPECT_FALSE(accepts("0.0.0.0:80", "[::1]:80"));
}

TEST(WouldAccept, one_address_in_either_spelling) {
    EXPECT_TRUE(accepts("127.0.0.1:80", "[::ffff:127.0.0.1]:80"));
    EXPECT_FALSE(accepts("127.0.0.1:80", "[::ffff:127.0.0.2]:80"));
}

TEST(WouldAccept, one_unix_name) {
    EXPECT_TRUE(accepts("unix:/run/a", "unix:/run/a"));
    EXPECT_FALSE(accepts("unix:/run/a", "unix:/run/b"));
    EXPECT_FALSE(accepts("unix:@a", "unix:/a"));
    EXPECT_FALSE(accepts("[::]:80", "unix:/run/a"));
}

}  // namespace
}  // namespace handover::test
