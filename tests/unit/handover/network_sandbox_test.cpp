// SPDX-License-Identifier: MIT
// What systemd itself does to the network is in tests/system/hardening_test.cpp.
#include "handover/base/network_sandbox.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace handover::test {
namespace {

/// As /proc/net/dev lists them.
std::string devices(std::initializer_list<std::string> names) {
    std::string text =
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n";
    for (const auto& name : names) text += "  " + name + ": 1064      12    0    0    0     0\n";
    return text;
}

/// As /proc/net/unix does; one has no name.
std::string unix_sockets(std::initializer_list<std::string> names) {
    std::string text = "Num       RefCount Protocol Flags    Type St Inode Path\n";
    for (const auto& name : names)
        text += "0000000000000000: 00000002 00000000 00000000 0002 01 123456 " + name + "\n";
    return text + "0000000000000000: 00000003 00000000 00000000 0001 03 123457\n";
}

constexpr auto manager_address = "/run/systemd/notify";

TEST(NetworkSandbox, is_a_namespace_with_loopback_alone_that_is_not_the_service_managers) {
    EXPECT_TRUE(is_private_network(devices({"lo"}), unix_sockets({"@other"}), manager_address));
    EXPECT_TRUE(is_private_network(devices({"lo"}), unix_sockets({}), "@manager"));
}

TEST(NetworkSandbox, may_have_the_tunnels_that_every_namespace_is_born_with) {
    EXPECT_TRUE(is_private_network(devices({"lo", "tunl0", "sit0", "ip6tnl0"}), unix_sockets({}),
                                   manager_address));
}

TEST(NetworkSandbox, is_none_where_the_service_manager_is_too) {
    EXPECT_FALSE(is_private_network(devices({"lo"}), unix_sockets({"@x", manager_address}),
                                    manager_address));
    EXPECT_FALSE(is_private_network(devices({"lo"}), unix_sockets({"@manager"}), "@manager"));
    EXPECT_TRUE(is_private_network(devices({"lo"}), unix_sockets({"/x/run/systemd/notify"}),
                                   manager_address))
        << "it is another's";
}

TEST(NetworkSandbox, is_none_where_a_device_leads_outside) {
    for (const char* name : {"eth0", "host0", "lo1", "tun0", "wg-x"})
        EXPECT_FALSE(is_private_network(devices({"lo", name}), unix_sockets({}), manager_address))
            << name;
}

TEST(NetworkSandbox, is_none_without_evidence) {
    EXPECT_FALSE(is_private_network("", unix_sockets({}), manager_address));
    EXPECT_FALSE(is_private_network(devices({"lo"}), "", manager_address));
    EXPECT_FALSE(is_private_network(devices({"lo"}), unix_sockets({}), ""));
    EXPECT_FALSE(is_private_network(devices({"lo"}), unix_sockets({}), "vsock:2:9999"));
}

TEST(NetworkSandbox, keeps_nobody_from_this_process) {
    for (const char* address : {"[::]:80", "0.0.0.0:80", "127.0.0.1:80", "unix:/run/x.sock"})
        EXPECT_EQ(why_out_of_reach(Endpoint::parse(address)), "") << address;
}

}  // namespace
}  // namespace handover::test
