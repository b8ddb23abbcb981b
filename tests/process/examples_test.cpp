// SPDX-License-Identifier: MIT
// The two example programs: what the README tells its readers to try.

#include "process/process_fixture.h"
#include "support/listening.h"

namespace handover::test {
namespace {

class Examples : public ProcessTest {};

TEST_F(Examples, hello_http_survives_SIGUSR2) {
    // It logs nothing, so it gets a listener whose address we know.
    const ListeningSocket listener("127.0.0.1:0");
    const auto address = listener.endpoint();
    ServerProcess server(
        {.argv = {hello_http_program()}, .inherited = {{.name = "http", .fd = listener.fd()}}});
    const auto old = server.first_pid();
    RawClient before(address, timeout);
    EXPECT_EQ(before.get("/hi").body, "Hello World!\n");
    EXPECT_EQ(before.get("/numbers/42").body, "42\n");
    Load load(address, {"--path", "/hi", "--connections", "4", "--rate", "200"});

    ::kill(old, SIGUSR2);
    EXPECT_EQ(await_end(old), 0);
    EXPECT_EQ(before.get("/hi").body, "Hello World!\n") << "on the same connection";
    const auto left = server.processes();
    ASSERT_EQ(left.size(), 1U);
    const auto successor = left.front();
    EXPECT_NE(successor, old);
    load.await_answers(10);
    EXPECT_EQ(RawClient(address, timeout).get("/hi").body, "Hello World!\n");
    expect_nothing_lost(load);

    ::kill(successor, SIGTERM);
    EXPECT_EQ(await_end(successor), 0);
    EXPECT_TRUE(server.wait_for_only({}));
}

TEST_F(Examples, echo_tcp_survives_SIGUSR2) {
    ServerProcess server({.argv = {echo_tcp_program(), "127.0.0.1:0"}});
    const auto address = endpoint_in(server.await_line(") serves"), "echo");
    auto current = server.first_pid();
    const auto expect_echo = [&] {
        RawClient client(address, timeout);
        client.send("are you there?");
        EXPECT_EQ(client.receive_bytes(14), "are you there?");
    };
    expect_echo();
    RawClient from_the_beginning(address, timeout);
    for (int generation = 2; generation <= 4; ++generation) {
        const auto old = current;
        ::kill(old, SIGUSR2);
        current = pid_in(server.await_line("generation " + std::to_string(generation) + " (pid "));
        EXPECT_NE(current, old);
        for (int i = 0; i < 20; ++i) expect_echo();
        EXPECT_EQ(await_end(old), 0);
        from_the_beginning.send("still there?");
        EXPECT_EQ(from_the_beginning.receive_bytes(12), "still there?");
    }
    ::kill(current, SIGTERM);
    EXPECT_EQ(await_end(current), 0);
    EXPECT_TRUE(refuses(address));
}

TEST_F(Examples, tell_why_they_cannot_listen) {
    const Daemon daemon(directory_, with_options({}));
    const auto taken = daemon.address().to_string();
    for (const auto& program : {hello_http_program(), echo_tcp_program()}) {
        ServerProcess server({.argv = {program, taken}});
        EXPECT_EQ(await_end(server.first_pid()), 71);
        EXPECT_NE(server.log().find("cannot listen on " + taken), std::string::npos);
        EXPECT_NE(server.log().find("pid " + std::to_string(daemon.pid())), std::string::npos);
    }
}

}  // namespace
}  // namespace handover::test
