// SPDX-License-Identifier: MIT
#include "handover/listeners/bind_listener.h"

#include "handover/base/descriptor.h"
#include "handover/base/socket_owner.h"
#include "handover/error.h"
#include "support/listening.h"
#include "support/open_descriptors.h"
#include "support/temporary_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace handover::test {
namespace {

using testing::HasSubstr;

WantedListener want(const std::string& address) {
    return {"http", Endpoint::parse(address)};
}

bool answers(const Endpoint& endpoint) {
    const UniqueFd client(::socket(endpoint.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    return ::connect(client.get(), endpoint.address(), endpoint.address_length()) == 0;
}

std::string fault_of(const WantedListener& wanted) {
    try {
        (void)bind_listener(wanted);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), Error::Kind::os);
        return error.what();
    }
    return "bound";
}

class BindListenerToPath : public testing::Test {
  protected:
    [[nodiscard]] std::string address() const { return "unix:" + path().string(); }
    [[nodiscard]] std::filesystem::path path() const { return directory_ / "x.sock"; }

  private:
    const TemporaryDirectory directory_;
};

TEST(BindListener, resolves_port_zero) {
    const auto listener = bind_listener(want("127.0.0.1:0"));
    EXPECT_EQ(listener.name, "http");
    EXPECT_NE(listener.endpoint.port(), 0);
    EXPECT_FALSE(listener.inherited);
    EXPECT_TRUE(answers(listener.endpoint));
}

TEST(BindListener, makes_it_close_on_exec_and_not_blocking) {
    const auto listener = bind_listener(want("127.0.0.1:0"));
    EXPECT_TRUE(is_cloexec(listener.fd.get()));
    EXPECT_TRUE(is_nonblocking(listener.fd.get()));
}

TEST(BindListener, takes_ip4_clients_on_an_ip6_address) {
    const auto listener = bind_listener(want("[::]:0"));
    const auto port = std::to_string(listener.endpoint.port());
    EXPECT_TRUE(answers(Endpoint::parse("127.0.0.1:" + port)));
    EXPECT_TRUE(answers(Endpoint::parse("[::1]:" + port)));
}

TEST(BindListener, binds_an_address_that_has_just_been_used) {
    std::string address;
    UniqueFd client;
    {
        const auto before = bind_listener(want("127.0.0.1:0"));
        address = before.endpoint.to_string();
        client.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        ASSERT_EQ(
            ::connect(client.get(), before.endpoint.address(), before.endpoint.address_length()),
            0);
        // The server closes first: its end lingers in TIME_WAIT and keeps the port.
        const UniqueFd accepted(::accept4(before.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
        ASSERT_TRUE(accepted);
        ::shutdown(accepted.get(), SHUT_WR);
        char nothing = 0;
        ASSERT_EQ(::read(client.get(), &nothing, 1), 0);
    }
    client.reset();
    EXPECT_EQ(bind_listener(want(address)).endpoint.to_string(), address);
}

TEST(BindListener, names_the_address_and_the_holder_of_one_in_use) {
    const ListeningSocket holder("127.0.0.1:0");
    const auto address = holder.endpoint().to_string();
    const auto fault = fault_of(want(address));
    EXPECT_THAT(fault, HasSubstr("cannot listen on " + address + " ('http')"));
    EXPECT_THAT(fault, HasSubstr(", held by "));
    EXPECT_THAT(fault, HasSubstr(", pid " + std::to_string(::getpid())));
    EXPECT_THAT(fault, HasSubstr(": Address already in use"));
}

TEST(BindListener, leaves_no_descriptor_behind_when_it_fails) {
    const ListeningSocket holder("127.0.0.1:0");
    const auto before = open_descriptors();
    EXPECT_NE(fault_of(want(holder.endpoint().to_string())), "bound");
    EXPECT_EQ(open_descriptors(), before);
}

TEST(BindListener, listens_on_an_abstract_name) {
    const TemporaryDirectory unique;
    const auto address = "unix:@" + unique.path().filename().string();
    const auto listener = bind_listener(want(address));
    EXPECT_EQ(listener.endpoint.to_string(), address);
    EXPECT_TRUE(answers(listener.endpoint));
    EXPECT_THAT(fault_of(want(address)), HasSubstr("Address already in use"));
}

TEST_F(BindListenerToPath, makes_the_path) {
    const auto listener = bind_listener(want(address()));
    EXPECT_TRUE(std::filesystem::is_socket(path()));
    EXPECT_TRUE(answers(listener.endpoint));
}

TEST_F(BindListenerToPath, gives_it_the_wanted_mode) {
    for (const mode_t mode : {0600, 0660, 0666}) {
        auto wanted = want(address());
        wanted.unix_mode = mode;
        const auto listener = bind_listener(wanted);
        struct stat status {};
        ASSERT_EQ(::stat(path().c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 07777, mode);
    }
}

TEST_F(BindListenerToPath, leaves_the_mode_to_the_umask_otherwise) {
    const auto before = ::umask(0077);
    const auto listener = bind_listener(want(address()));
    ::umask(before);
    struct stat status {};
    ASSERT_EQ(::stat(path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0700U);
}

TEST_F(BindListenerToPath, replaces_a_path_on_which_nobody_answers) {
    { const ListeningSocket gone(address()); }
    ASSERT_TRUE(std::filesystem::exists(path())) << "a path outlives its socket";
    const auto listener = bind_listener(want(address()));
    EXPECT_TRUE(answers(listener.endpoint));
}

TEST_F(BindListenerToPath, refuses_a_path_on_which_somebody_answers) {
    const ListeningSocket alive(address());
    const auto fault = fault_of(want(address()));
    EXPECT_THAT(fault, HasSubstr("cannot listen on " + address()));
    EXPECT_THAT(fault, HasSubstr(", pid " + std::to_string(::getpid())));
    EXPECT_THAT(fault, HasSubstr("Address already in use"));
    EXPECT_TRUE(answers(alive.endpoint()));
}

TEST_F(BindListenerToPath, refuses_a_path_whose_listener_is_too_busy_to_answer) {
    const auto endpoint = Endpoint::parse(address());
    const UniqueFd busy(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::bind(busy.get(), endpoint.address(), endpoint.address_length()), 0);
    ASSERT_EQ(::listen(busy.get(), 0), 0);
    std::vector<UniqueFd> queue;
    while (true) {
        queue.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (::connect(queue.back().get(), endpoint.address(), endpoint.address_length()) != 0)
            break;
        ASSERT_LT(queue.size(), 100U);
    }
    ASSERT_EQ(errno, EAGAIN);
    EXPECT_THAT(fault_of(want(address())), HasSubstr("Address already in use"));
    EXPECT_TRUE(std::filesystem::exists(path()));
}

TEST_F(BindListenerToPath, never_removes_what_is_not_a_socket) {
    std::ofstream(path()) << "precious";
    EXPECT_THAT(fault_of(want(address())), HasSubstr("Address already in use"));
    std::string content;
    std::ifstream(path()) >> content;
    EXPECT_EQ(content, "precious");
}

TEST_F(BindListenerToPath, never_follows_a_link_to_remove_what_is_there) {
    const auto target = path().string() + ".target";
    { const ListeningSocket gone("unix:" + target); }
    std::filesystem::create_symlink(target, path());
    EXPECT_THAT(fault_of(want(address())), HasSubstr("Address already in use"));
    EXPECT_TRUE(std::filesystem::exists(target));
}

TEST_F(BindListenerToPath, says_which_directory_is_missing) {
    EXPECT_THAT(
        fault_of(want(address() + ".d/x.sock")),
        testing::AllOf(HasSubstr(address() + ".d/x.sock"), HasSubstr("No such file or directory")));
}

TEST(HolderOf, names_the_process_that_listens) {
    const ListeningSocket listening("[::1]:0");
    std::string name;
    std::getline(std::ifstream("/proc/self/comm"), name);
    EXPECT_EQ(holder_of(listening.endpoint()), name + ", pid " + std::to_string(::getpid()));
}

TEST(HolderOf, names_nobody_where_nobody_listens) {
    std::string address;
    {
        const ListeningSocket gone("127.0.0.1:0");
        address = gone.endpoint().to_string();
    }
    EXPECT_EQ(holder_of(Endpoint::parse(address)), "");
    EXPECT_EQ(holder_of(Endpoint::parse("unix:/nonexistent/x.sock")), "");
}

}  // namespace
}  // namespace handover::test
