// SPDX-License-Identifier: MIT
// How a browser reaches the live page.

#include "handoverd/client/dashboard_command.h"

#include "handover/error.h"

#include <gtest/gtest.h>

namespace handoverd {
namespace {

std::string way(const std::string& admin) {
    return dashboard_url_help(handover::Endpoint::parse(admin), "root", "web1");
}

TEST(Dashboard, of_a_path_is_reached_by_ssh) {
    EXPECT_EQ(way("unix:/run/handoverd/admin.sock"),
              "ssh -L 9998:/run/handoverd/admin.sock root@web1\n"
              "then open http://localhost:9998/\n");
}

TEST(Dashboard, of_a_loopback_address_is_near_or_reached_by_ssh) {
    EXPECT_EQ(way("127.0.0.1:8080"),
              "open http://127.0.0.1:8080/\n"
              "or, from another machine:\n"
              "ssh -L 9998:127.0.0.1:8080 root@web1\n"
              "then open http://localhost:9998/\n");
    EXPECT_TRUE(way("[::1]:8080").starts_with("open http://[::1]:8080/\n"));
}

TEST(Dashboard, of_another_address_has_a_URL) {
    EXPECT_EQ(way("192.0.2.1:8080"), "open http://192.0.2.1:8080/\n");
    EXPECT_EQ(way("0.0.0.0:8080"), "open http://web1:8080/\n");
    EXPECT_EQ(way(":8080"), "open http://web1:8080/\n");
}

TEST(Dashboard, of_an_abstract_name_is_not_reached_and_says_why) {
    try {
        (void)way("unix:@name");
        FAIL() << "nothing was thrown";
    } catch (const handover::Error& error) {
        EXPECT_EQ(error.exit_status(), 78);
        EXPECT_STREQ(
            error.what(),
            "no browser reaches the admin listener unix:@name, as ssh forwards no abstract "
            "name: give --admin a path or a TCP address");
    }
}

}  // namespace
}  // namespace handoverd
