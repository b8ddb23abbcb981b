// SPDX-License-Identifier: MIT
// Listeners that a service manager hands over, played by the test.

#include "process/process_fixture.h"
#include "support/listening.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace handover::test {
namespace {

class SocketActivation : public ProcessTest {
  protected:
    /// A daemon that is not told where to listen.
    static DaemonOptions activated(std::vector<ProcessOptions::Inherited> inherited,
                                   std::vector<std::string> options = {}) {
        auto start = with_options(std::move(options));
        start.listen = {};
        start.process.inherited = std::move(inherited);
        return start;
    }

    void expect_config_error(const DaemonOptions& start, const std::string& text) const {
        const auto told = run_to_end(directory_, start);
        EXPECT_EQ(told.status, 78);
        EXPECT_NE(told.err.find(text), std::string::npos) << told.err;
        EXPECT_EQ(told.err.find('\n'), told.err.size() - 1) << "not one line: " << told.err;
        EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
    }

    static bool kernel_has_pidfs() {
        constexpr long magic = 0x50494446;
        const UniqueFd own(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
        struct statfs filesystem {};
        return own && ::fstatfs(own.get(), &filesystem) == 0 && filesystem.f_type == magic;
    }

    const ListeningSocket here_{"127.0.0.1:0"};
};

TEST_F(SocketActivation, listener_named_http_is_adopted_at_any_address) {
    Daemon daemon(directory_, activated({{"http", here_.fd()}}));
    EXPECT_EQ(daemon.address(), here_.endpoint());
    EXPECT_EQ(daemon.ask().pid, daemon.pid());
    EXPECT_TRUE(daemon.wait_for_state("serving"));
    const auto listener = daemon.status().at("listeners").at(0);
    EXPECT_EQ(listener.at("name"), "http");
    EXPECT_EQ(listener.at("inherited"), true);
}

TEST_F(SocketActivation, several_listeners_named_http_are_adopted) {
    const ListeningSocket also_here("unix:" + (directory_ / "also").string());
    Daemon daemon(directory_, activated({{"http", also_here.fd()}, {"http", here_.fd()}}));
    EXPECT_EQ(answer_in(RawClient(here_.endpoint()).get("/hello")).pid, daemon.pid());
    EXPECT_EQ(answer_in(RawClient(also_here.endpoint()).get("/hello")).pid, daemon.pid());
}

TEST_F(SocketActivation, listener_named_after_its_unit_is_adopted) {
    Daemon daemon(directory_, activated({{"handoverd.socket", here_.fd()}}));
    EXPECT_EQ(daemon.ask().pid, daemon.pid());
    EXPECT_EQ(daemon.address(), here_.endpoint());
}

TEST_F(SocketActivation, listener_without_a_name_is_adopted) {
    auto start = activated({{"", here_.fd()}});
    start.process.environment["LISTEN_FDNAMES"] = std::nullopt;
    Daemon daemon(directory_, start);
    EXPECT_EQ(daemon.address(), here_.endpoint());
    EXPECT_EQ(daemon.ask().pid, daemon.pid());
}

TEST_F(SocketActivation, names_of_units_are_told_apart_by_address) {
    const auto admin = "unix:" + (directory_ / "admin.sock").string();
    const ListeningSocket admin_here(admin);
    auto start =
        activated({{"handoverd.socket", admin_here.fd()}, {"handoverd.socket", here_.fd()}});
    start.listen = {here_.endpoint().to_string()};
    Daemon daemon(directory_, start);
    EXPECT_EQ(daemon.ask().pid, daemon.pid());
    EXPECT_EQ(daemon.status().at("pid"), daemon.pid());
    EXPECT_TRUE(daemon.wait_for_state("serving"));
    const auto status = daemon.status();
    EXPECT_EQ(status.at("listeners").size(), 2U);
    for (const auto& listener : status.at("listeners"))
        EXPECT_EQ(listener.at("inherited"), true) << listener;
}

TEST_F(SocketActivation, inherited_listener_survives_hot_restarts) {
    Daemon daemon(directory_, activated({{"http", here_.fd()}}));
    Load load(daemon.address(), {"--connections", "4", "--rate", "200"});
    for (int i = 0; i < 3; ++i) EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_EQ(daemon.address(), here_.endpoint());
    load.await_answers(10);
    expect_nothing_lost(load);
}

TEST_F(SocketActivation, unix_path_of_somebody_else_is_not_removed_at_the_end) {
    const ListeningSocket path("unix:" + (directory_ / "given").string());
    Daemon daemon(directory_, activated({{"http", path.fd()}}));
    EXPECT_EQ(daemon.ask().pid, daemon.pid());
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.await_end(), 0);
    EXPECT_TRUE(std::filesystem::is_socket(directory_ / "given"));
    EXPECT_FALSE(refuses(path.endpoint())) << "the listener of the service manager is dead";
}

TEST_F(SocketActivation, unknown_name_is_warned_about_and_closed) {
    Daemon daemon(directory_, activated({{"http", here_.fd()}, {"gopher", here_.fd()}}));
    EXPECT_EQ(daemon.ask().pid, daemon.pid());

    const ListeningSocket unknown("127.0.0.1:0");
    const TemporaryDirectory elsewhere;
    Daemon other(elsewhere, activated({{"gopher", unknown.fd()}, {"http", here_.fd()}}));
    EXPECT_EQ(other.await_line("'gopher'").find("error"), std::string::npos);
    other.await_line("means nothing to this version: closed");
    const auto descriptors = ProcessView{other.pid()}.descriptors();
    const auto unknown_socket = ProcessView{::getpid()}.descriptors().at(unknown.fd());
    for (const auto& [fd, what] : descriptors) EXPECT_NE(what, unknown_socket);
}

TEST_F(SocketActivation, configured_address_wins_over_a_listener_elsewhere) {
    auto start = activated({{"http", here_.fd()}});
    start.listen = {"127.0.0.1:0"};
    start.options = {};
    // Port 0 means any port of that address, which the inherited one has.
    Daemon daemon(directory_, start);
    EXPECT_EQ(daemon.address(), here_.endpoint());

    const TemporaryDirectory elsewhere;
    start.listen = {"unix:" + (elsewhere / "http.sock").string()};
    Daemon other(elsewhere, start);
    other.await_line("the inherited listener 'http' on " + here_.endpoint().to_string() +
                     " is not configured any more: closed");
    EXPECT_EQ(other.ask().pid, other.pid());
}

TEST_F(SocketActivation, descriptor_that_is_not_a_listener_is_named) {
    const UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    expect_config_error(activated({{"http", file.get()}}),
                        "the inherited descriptor 3, named 'http', is a character device, not a "
                        "listening stream socket");
}

TEST_F(SocketActivation, socket_that_does_not_listen_is_named) {
    const UniqueFd deaf(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    expect_config_error(activated({{"http", here_.fd()}, {"http", deaf.get()}}),
                        "the inherited descriptor 4, named 'http', is a stream socket that is not "
                        "listening");
}

TEST_F(SocketActivation, datagram_socket_is_named) {
    const UniqueFd datagrams(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    expect_config_error(activated({{"http", datagrams.get()}}), "is a datagram socket");
}

TEST_F(SocketActivation, LISTEN_PID_of_somebody_else_is_refused) {
    auto start = activated({{"http", here_.fd()}});
    start.process.environment["LISTEN_PID"] = "1";
    expect_config_error(start, "LISTEN_PID=1 means another process");
}

TEST_F(SocketActivation, LISTEN_PIDFDID_of_somebody_else_is_refused) {
    auto start = activated({{"http", here_.fd()}});
    start.process.environment["LISTEN_PIDFDID"] = "1";
    if (!kernel_has_pidfs()) GTEST_SKIP() << "a pidfd has no inode of its own before Linux 6.9";
    expect_config_error(start, "LISTEN_PIDFDID=1 means another process");
}

TEST_F(SocketActivation, LISTEN_FDS_without_LISTEN_PID_is_refused) {
    auto start = activated({{"http", here_.fd()}});
    start.process.environment["LISTEN_PID"] = std::nullopt;
    expect_config_error(start, "LISTEN_FDS is set but LISTEN_PID is not");
}

TEST_F(SocketActivation, more_names_than_descriptors_are_refused) {
    auto start = activated({{"http", here_.fd()}});
    start.process.environment["LISTEN_FDNAMES"] = "http:admin";
    expect_config_error(start, "LISTEN_FDS=1 but LISTEN_FDNAMES='http:admin' has 2 names");
}

TEST_F(SocketActivation, fewer_names_than_descriptors_are_refused) {
    auto start = activated({{"http", here_.fd()}, {"http", here_.fd()}});
    start.process.environment["LISTEN_FDNAMES"] = "http";
    expect_config_error(start, "LISTEN_FDS=2 but LISTEN_FDNAMES='http' has 1 names");
}

TEST_F(SocketActivation, count_that_is_no_number_is_refused) {
    auto start = activated({{"http", here_.fd()}});
    start.process.environment["LISTEN_FDS"] = "one";
    expect_config_error(start, "LISTEN_FDS='one' is not a number");
}

TEST_F(SocketActivation, descriptor_that_is_not_open_is_named) {
    auto start = activated({{"http", here_.fd()}});
    start.process.environment["LISTEN_FDS"] = "2";
    start.process.environment["LISTEN_FDNAMES"] = "http:http";
    expect_config_error(start, "LISTEN_FDS=2 announces descriptor 4 ('http'), but it is not open");
}

}  // namespace
}  // namespace handover::test
