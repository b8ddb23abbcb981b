// SPDX-License-Identifier: MIT
#include "handover/listeners/listeners.h"

#include "handover/error.h"
#include "handover/listeners/bind_listener.h"
#include "support/listening.h"
#include "support/open_descriptors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/mman.h>

#include <string>
#include <utility>
#include <vector>

namespace handover::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

InheritedFd inherit(const std::string& name, UniqueFd fd) {
    const auto what = Descriptor::examine(fd.get());
    return {name, std::move(fd), what};
}

/// A listener as somebody else opened it.
InheritedFd inherit(const std::string& name, const ListeningSocket& listening) {
    return inherit(name, UniqueFd(::fcntl(listening.fd(), F_DUPFD_CLOEXEC, 3)));
}

template <typename... One>
std::vector<InheritedFd> all(One... one) {
    std::vector<InheritedFd> result;
    (result.push_back(std::move(one)), ...);
    return result;
}

WantedListener want(const std::string& name, const Endpoint& endpoint) {
    return {name, endpoint};
}

WantedListener want(const std::string& name, const std::string& address) {
    return {name, Endpoint::parse(address)};
}

WantedListener want_by_default(const std::string& name, const std::string& address) {
    return {name, Endpoint::parse(address), /*default_only=*/true};
}

TEST(Listeners, adopts_the_inherited_one_by_name) {
    const ListeningSocket listening("127.0.0.1:0");
    const auto listeners =
        Listeners::assemble(all(inherit("http", listening)), {want("http", listening.endpoint())});
    ASSERT_EQ(listeners.active.size(), 1U);
    const auto& http = listeners.active[0];
    EXPECT_EQ(http.name, "http");
    EXPECT_EQ(http.endpoint, listening.endpoint());
    EXPECT_TRUE(http.inherited);
    EXPECT_EQ(Descriptor::examine(http.fd.get()).cookie,
              Descriptor::examine(listening.fd()).cookie);
    EXPECT_THAT(listeners.dropped, IsEmpty());
    EXPECT_THAT(listeners.strangers, IsEmpty());
    EXPECT_THAT(listeners.warnings, IsEmpty());
}

TEST(Listeners, changes_only_the_sockets_that_it_adopts) {
    const ListeningSocket ours("127.0.0.1:0");
    const ListeningSocket dropped("127.0.0.1:0");
    const ListeningSocket strange("127.0.0.1:0");
    const auto listeners = Listeners::assemble(
        all(inherit("http", ours), inherit("http", dropped), inherit("gopher", strange)),
        {want("http", ours.endpoint())});
    EXPECT_TRUE(is_nonblocking(ours.fd()));
    EXPECT_TRUE(is_nonblocking(dropped.fd())) << "whoever connects is served for a while";
    EXPECT_FALSE(is_nonblocking(strange.fd()));
}

TEST(Listeners, adopts_any_port_where_port_zero_is_wanted) {
    const ListeningSocket listening("127.0.0.1:0");
    const auto listeners =
        Listeners::assemble(all(inherit("http", listening)), {want("http", "127.0.0.1:0")});
    ASSERT_EQ(listeners.active.size(), 1U);
    EXPECT_TRUE(listeners.active[0].inherited);
    EXPECT_EQ(listeners.active[0].endpoint, listening.endpoint()) << "the port it really has";
}

TEST(Listeners, adopts_whatever_has_the_name_where_only_a_default_is_wanted) {
    const ListeningSocket one("127.0.0.1:0");
    const ListeningSocket other("[::1]:0");
    const auto listeners = Listeners::assemble(all(inherit("http", one), inherit("http", other)),
                                               {want_by_default("http", "[::]:9999")});
    ASSERT_EQ(listeners.active.size(), 2U);
    EXPECT_EQ(listeners.active[0].endpoint, one.endpoint());
    EXPECT_EQ(listeners.active[1].endpoint, other.endpoint());
    EXPECT_THAT(listeners.dropped, IsEmpty());
}

TEST(Listeners, tells_two_of_one_name_apart_by_their_address) {
    const ListeningSocket one("127.0.0.1:0");
    const ListeningSocket other("127.0.0.1:0");
    const auto listeners =
        Listeners::assemble(all(inherit("http", other), inherit("http", one)),
                            {want("http", one.endpoint()), want("http", other.endpoint())});
    ASSERT_EQ(listeners.active.size(), 2U);
    EXPECT_EQ(listeners.active[0].endpoint, one.endpoint()) << "in the order wanted";
    EXPECT_EQ(listeners.active[1].endpoint, other.endpoint());
    EXPECT_TRUE(listeners.active[0].inherited && listeners.active[1].inherited);
}

// Names carry meaning; order never does.
TEST(Listeners, prefers_the_exact_address_to_port_zero_in_any_order) {
    const ListeningSocket exact("127.0.0.1:0");
    const ListeningSocket any("127.0.0.1:0");
    for (const bool exact_first : {true, false}) {
        auto inherited = exact_first ? all(inherit("http", exact), inherit("http", any))
                                     : all(inherit("http", any), inherit("http", exact));
        SCOPED_TRACE(exact_first ? "the exact one first" : "the exact one last");
        try {
            const auto listeners =
                Listeners::assemble(std::move(inherited),
                                    {want("http", "127.0.0.1:0"), want("http", exact.endpoint())});
            ASSERT_EQ(listeners.active.size(), 2U);
            EXPECT_EQ(listeners.active[0].endpoint, any.endpoint());
            EXPECT_EQ(listeners.active[1].endpoint, exact.endpoint());
            EXPECT_THAT(listeners.dropped, IsEmpty());
        } catch (const Error& error) {
            ADD_FAILURE() << error.what();
        }
    }
}

TEST(Listeners, maps_one_without_a_name_of_its_own_by_its_address) {
    const ListeningSocket http("127.0.0.1:0");
    const ListeningSocket admin("127.0.0.1:0");
    for (const char* anonymous : {"unknown", "handoverd.socket"}) {
        const auto listeners =
            Listeners::assemble(all(inherit(anonymous, admin), inherit(anonymous, http)),
                                {want("http", http.endpoint()), want("admin", admin.endpoint())});
        ASSERT_EQ(listeners.active.size(), 2U) << anonymous;
        EXPECT_EQ(listeners.active[0].name, "http");
        EXPECT_EQ(listeners.active[0].endpoint, http.endpoint());
        EXPECT_EQ(listeners.active[1].name, "admin");
        EXPECT_EQ(listeners.active[1].endpoint, admin.endpoint());
        EXPECT_THAT(listeners.warnings, IsEmpty());
    }
}

TEST(Listeners, gives_one_without_a_name_to_the_default_when_no_address_fits) {
    const ListeningSocket listening("127.0.0.1:0");
    const auto listeners = Listeners::assemble(all(inherit("handoverd.socket", listening)),
                                               {want_by_default("http", "[::]:9999")});
    ASSERT_EQ(listeners.active.size(), 1U);
    EXPECT_EQ(listeners.active[0].name, "http");
    EXPECT_EQ(listeners.active[0].endpoint, listening.endpoint());
}

TEST(Listeners, does_not_take_a_name_for_another) {
    const ListeningSocket listening("127.0.0.1:0");
    const auto listeners =
        Listeners::assemble(all(inherit("admin", listening)),
                            {want("http", "127.0.0.1:0"), want("admin", listening.endpoint())});
    ASSERT_EQ(listeners.active.size(), 2U);
    EXPECT_FALSE(listeners.active[0].inherited) << "the address would have done for http";
    EXPECT_TRUE(listeners.active[1].inherited);
}

TEST(Listeners, drops_what_is_no_longer_wanted_but_keeps_it_open) {
    const ListeningSocket old("127.0.0.1:0");
    const auto listeners =
        Listeners::assemble(all(inherit("http", old)), {want("http", "[::1]:0")});
    ASSERT_EQ(listeners.dropped.size(), 1U);
    EXPECT_EQ(listeners.dropped[0].name, "http");
    EXPECT_EQ(listeners.dropped[0].endpoint, old.endpoint());
    EXPECT_TRUE(listeners.dropped[0].inherited);
    EXPECT_TRUE(listeners.dropped[0].detached);
    EXPECT_TRUE(is_open(listeners.dropped[0].fd.get())) << "so that its queue can be served";
    EXPECT_THAT(listeners.warnings,
                ElementsAre("the inherited listener 'http' on " + old.endpoint().to_string() +
                            " is not configured any more: closed"));
    ASSERT_EQ(listeners.active.size(), 1U);
    EXPECT_FALSE(listeners.active[0].inherited);
}

TEST(Listeners, drops_the_second_of_one_address) {
    const ListeningSocket listening("127.0.0.1:0");
    const auto listeners =
        Listeners::assemble(all(inherit("http", listening), inherit("http", listening)),
                            {want("http", listening.endpoint())});
    EXPECT_EQ(listeners.active.size(), 1U);
    EXPECT_EQ(listeners.dropped.size(), 1U);
}

TEST(Listeners, closes_strangers_and_says_so) {
    const ListeningSocket listening("127.0.0.1:0");
    auto inherited = all(inherit("smtp", listening),
                         inherit("unknown", UniqueFd(::memfd_create("test", MFD_CLOEXEC))));
    const int numbers[] = {inherited[0].fd.get(), inherited[1].fd.get()};
    const auto listeners = Listeners::assemble(std::move(inherited), {});
    EXPECT_THAT(listeners.strangers, ElementsAre("smtp", "unknown"));
    EXPECT_THAT(listeners.warnings,
                ElementsAre("the inherited descriptor 'smtp' (a stream socket listening on " +
                                listening.endpoint().to_string() +
                                ") means nothing to this version: closed",
                            "the inherited descriptor 'unknown' (a memory file) means nothing to "
                            "this version: closed"));
    ASSERT_EQ(listeners.dropped.size(), 1U) << "so that who is in its queue need not be reset";
    EXPECT_EQ(listeners.dropped[0].fd.get(), numbers[0]);
    EXPECT_FALSE(is_open(numbers[1]));
    EXPECT_THAT(listeners.active, IsEmpty());
}

TEST(Listeners, refuses_a_wanted_name_on_what_is_no_listener) {
    const auto before = open_descriptors();
    auto inherited =
        all(inherit("http", UniqueFd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0))));
    const auto number = std::to_string(inherited[0].fd.get());
    try {
        (void)Listeners::assemble(std::move(inherited), {want_by_default("http", "[::]:9999")});
        ADD_FAILURE() << "nothing thrown";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), Error::Kind::config);
        EXPECT_EQ(error.what(), "the inherited descriptor " + number +
                                    ", named 'http', is a datagram socket, not a listening stream "
                                    "socket");
    }
    EXPECT_EQ(open_descriptors(), before);
}

TEST(Listeners, refuses_a_stream_socket_that_does_not_listen) {
    auto inherited =
        all(inherit("http", UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))));
    try {
        (void)Listeners::assemble(std::move(inherited), {want("http", "127.0.0.1:0")});
        ADD_FAILURE() << "nothing thrown";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("is a stream socket that is not listening"));
    }
}

TEST(Listeners, binds_what_is_not_inherited) {
    const auto listeners =
        Listeners::assemble({}, {want("http", "127.0.0.1:0"), want_by_default("admin", "[::1]:0")});
    ASSERT_EQ(listeners.active.size(), 2U);
    for (const auto& listener : listeners.active) {
        EXPECT_FALSE(listener.inherited);
        EXPECT_NE(listener.endpoint.port(), 0);
        EXPECT_EQ(Descriptor::examine(listener.fd.get()).kind, Descriptor::Kind::stream_listener);
    }
}

TEST(Listeners, leaves_nothing_open_when_one_cannot_be_bound) {
    const ListeningSocket taken("127.0.0.1:0");
    const ListeningSocket inherited("127.0.0.1:0");
    const auto before = open_descriptors();
    EXPECT_THROW((void)Listeners::assemble(
                     all(inherit("http", inherited)),
                     {want("http", inherited.endpoint()), want("admin", taken.endpoint())}),
                 Error);
    EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace handover::test
