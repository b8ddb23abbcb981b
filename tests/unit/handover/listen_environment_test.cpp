// SPDX-License-Identifier: MIT
#include "handover/error.h"
#include "handover/systemd/listen_fds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace handover::test {
namespace {

using testing::HasSubstr;
using Names = std::vector<std::string>;
using Variables = std::map<std::string, std::string>;

constexpr pid_t own_pid = 812;
constexpr std::uint64_t own_pidfd_id = 77;

ListenEnvironment parse(const Variables& variables,
                        std::optional<std::uint64_t> pidfd_id = own_pidfd_id) {
    const auto lookup = [&variables](const char* name) {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
    return ListenEnvironment::parse(lookup, own_pid, pidfd_id);
}

std::string fault_in(const Variables& variables) {
    try {
        (void)parse(variables);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), Error::Kind::config);
        return error.what();
    }
    return "accepted";
}

TEST(ListenEnvironment, means_no_descriptors_when_nothing_is_set) {
    EXPECT_EQ(parse({}).names, Names{});
    EXPECT_EQ(parse({{"PATH", "/bin"}}).names, Names{});
}

TEST(ListenEnvironment, gives_each_descriptor_its_name_in_order) {
    EXPECT_EQ(
        parse({{"LISTEN_PID", "812"}, {"LISTEN_FDS", "3"}, {"LISTEN_FDNAMES", "http:admin:http"}})
            .names,
        (Names{"http", "admin", "http"}));
}

TEST(ListenEnvironment, calls_descriptors_unknown_where_there_are_no_names) {
    EXPECT_EQ(parse({{"LISTEN_PID", "812"}, {"LISTEN_FDS", "2"}}).names,
              (Names{"unknown", "unknown"}));
}

TEST(ListenEnvironment, takes_an_empty_name_for_one) {
    EXPECT_EQ(parse({{"LISTEN_PID", "812"}, {"LISTEN_FDS", "3"}, {"LISTEN_FDNAMES", "a::b"}}).names,
              (Names{"a", "", "b"}));
    EXPECT_EQ(parse({{"LISTEN_PID", "812"}, {"LISTEN_FDS", "1"}, {"LISTEN_FDNAMES", ""}}).names,
              (Names{""}));
}

TEST(ListenEnvironment, takes_a_long_name_and_one_beyond_ASCII) {
    const std::string longest(255, 'n');
    EXPECT_EQ(
        parse({{"LISTEN_PID", "812"}, {"LISTEN_FDS", "1"}, {"LISTEN_FDNAMES", longest}}).names,
        Names{longest});
    EXPECT_EQ(
        parse({{"LISTEN_PID", "812"}, {"LISTEN_FDS", "1"}, {"LISTEN_FDNAMES", "\xc3\xbc"}}).names,
        Names{"\xc3\xbc"});
}

TEST(ListenEnvironment, takes_a_count_of_zero) {
    EXPECT_EQ(parse({{"LISTEN_PID", "812"}, {"LISTEN_FDS", "0"}}).names, Names{});
    EXPECT_EQ(parse({{"LISTEN_PID", "812"}, {"LISTEN_FDS", "0"}, {"LISTEN_FDNAMES", ""}}).names,
              Names{});
}

TEST(ListenEnvironment, compares_the_pidfd_id_where_the_kernel_has_one) {
    const Variables ours{{"LISTEN_PID", "812"}, {"LISTEN_FDS", "1"}, {"LISTEN_PIDFDID", "77"}};
    EXPECT_EQ(parse(ours).names, Names{"unknown"});
    const Variables other{{"LISTEN_PID", "812"}, {"LISTEN_FDS", "1"}, {"LISTEN_PIDFDID", "78"}};
    EXPECT_EQ(parse(other, std::nullopt).names, Names{"unknown"});
    EXPECT_THROW((void)parse(other), Error) << "a later process with our pid";
}

struct Malformed {
    Variables variables;
    std::vector<std::string> told;  ///< what the error must name
};

const Malformed malformed[] = {
    // half of the protocol
    {{{"LISTEN_FDS", "1"}}, {"LISTEN_FDS is set", "LISTEN_PID is not"}},
    {{{"LISTEN_PID", "812"}}, {"LISTEN_PID is set", "LISTEN_FDS is not"}},
    {{{"LISTEN_FDNAMES", "http"}}, {"LISTEN_FDNAMES is set", "LISTEN_FDS is not"}},
    {{{"LISTEN_PID", "812"}, {"LISTEN_FDNAMES", "http"}}, {"LISTEN_FDS is not"}},
    {{{"LISTEN_FDS", "1"}, {"LISTEN_FDNAMES", "http"}}, {"LISTEN_PID is not"}},
    // somebody else's
    {{{"LISTEN_PID", "813"}, {"LISTEN_FDS", "1"}}, {"LISTEN_PID=813", "another process", "812"}},
    {{{"LISTEN_PID", "0"}, {"LISTEN_FDS", "1"}}, {"LISTEN_PID=0", "another process"}},
    {{{"LISTEN_PID", "812"}, {"LISTEN_FDS", "1"}, {"LISTEN_PIDFDID", "7"}},
     {"LISTEN_PIDFDID=7", "another process", "77"}},
    // a pid that is none
    {{{"LISTEN_PID", ""}, {"LISTEN_FDS", "1"}}, {"LISTEN_PID=''", "not a number"}},
    {{{"LISTEN_PID", "-812"}, {"LISTEN_FDS", "1"}}, {"LISTEN_PID='-812'"}},
    {{{"LISTEN_PID", "+812"}, {"LISTEN_FDS", "1"}}, {"LISTEN_PID='+812'"}},
    {{{"LISTEN_PID", " 812"}, {"LISTEN_FDS", "1"}}, {"LISTEN_PID=' 812'"}},
    {{{"LISTEN_PID", "812 "}, {"LISTEN_FDS", "1"}}, {"LISTEN_PID='812 '"}},
    {{{"LISTEN_PID", "812x"}, {"LISTEN_FDS", "1"}}, {"LISTEN_PID='812x'"}},
    {{{"LISTEN_PID", "0x32c"}, {"LISTEN_FDS", "1"}}, {"LISTEN_PID='0x32c'"}},
    {{{"LISTEN_PID", "18446744073709552428"}, {"LISTEN_FDS", "1"}},  // 2^64 + 812
     {"LISTEN_PID='18446744073709552428'"}},
    {{{"LISTEN_PID", "4294968108"}, {"LISTEN_FDS", "1"}}, {"another process"}},  // 2^32 + 812
    {{{"LISTEN_PID", "812"}, {"LISTEN_FDS", "1"}, {"LISTEN_PIDFDID", "x"}}, {"LISTEN_PIDFDID='x'"}},
    // a count that is none
    {{{"LISTEN_PID", "812"}, {"LISTEN_FDS", ""}}, {"LISTEN_FDS=''", "not a number"}},
    {{{"LISTEN_PID", "812"}, {"LISTEN_FDS", "one"}}, {"LISTEN_FDS='one'"}},
    {{{"LISTEN_PID", "812"}, {"LISTEN_FDS", "-1"}}, {"LISTEN_FDS='-1'"}},
    {{{"LISTEN_PID", "812"}, {"LISTEN_FDS", "1.0"}}, {"LISTEN_FDS='1.0'"}},
    {{{"LISTEN_PID", "812"}, {"LISTEN_FDS", "1\n"}}, {"LISTEN_FDS='1\\x0a'"}},
    {{{"LISTEN_PID", "812"}, {"LISTEN_FDS", "65537"}}, {"LISTEN_FDS=65537", "more than 65536"}},
    {{{"LISTEN_PID", "812"}, {"LISTEN_FDS", "4294967296"}}, {"LISTEN_FDS=4294967296"}},
    {{{"LISTEN_PID", "812"}, {"LISTEN_FDS", "99999999999999999999"}},
     {"LISTEN_FDS='99999999999999999999'"}},
    // names that do not match it
    {{{"LISTEN_PID", "812"}, {"LISTEN_FDS", "2"}, {"LISTEN_FDNAMES", "http"}},
     {"LISTEN_FDS=2", "'http'", "1 names"}},
    {{{"LISTEN_PID", "812"}, {"LISTEN_FDS", "1"}, {"LISTEN_FDNAMES", "http:admin"}},
     {"LISTEN_FDS=1", "'http:admin'", "2 names"}},
    {{{"LISTEN_PID", "812"}, {"LISTEN_FDS", "1"}, {"LISTEN_FDNAMES", "http:"}}, {"2 names"}},
    {{{"LISTEN_PID", "812"}, {"LISTEN_FDS", "2"}, {"LISTEN_FDNAMES", ""}}, {"1 names"}},
    {{{"LISTEN_PID", "812"}, {"LISTEN_FDS", "0"}, {"LISTEN_FDNAMES", "http"}},
     {"LISTEN_FDS=0", "'http'", "1 names"}},
    // names that are none
    {{{"LISTEN_PID", "812"}, {"LISTEN_FDS", "2"}, {"LISTEN_FDNAMES", "http:a\nMAINPID=1"}},
     {"LISTEN_FDNAMES='http:a\\x0aMAINPID=1'", "control character"}},
    {{{"LISTEN_PID", "812"}, {"LISTEN_FDS", "1"}, {"LISTEN_FDNAMES", "\x7f"}},
     {"LISTEN_FDNAMES='\\x7f'", "control character"}},
    {{{"LISTEN_PID", "812"}, {"LISTEN_FDS", "1"}, {"LISTEN_FDNAMES", std::string(256, 'n')}},
     {"LISTEN_FDNAMES='nnnnn", "nnn...'", "more than 255 bytes"}},
};

TEST(ListenEnvironment, refuses_what_is_malformed_and_names_it) {
    for (const auto& [variables, told] : malformed) {
        std::string shown;
        for (const auto& [name, value] : variables)
            shown.append(name).append("=").append(value).append(" ");
        SCOPED_TRACE(shown);
        const auto fault = fault_in(variables);
        for (const auto& part : told) EXPECT_THAT(fault, HasSubstr(part));
        EXPECT_THAT(fault, HasSubstr(": unset the LISTEN_* variables or start it where they are "));
    }
}

}  // namespace
}  // namespace handover::test
