// SPDX-License-Identifier: MIT
// /metrics: one service, in however many generations. /healthz and /readyz.
#include "process/connections_fixture.h"

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>

namespace handover::test {
namespace {

namespace fs = std::filesystem;

/// By name and labels, as they are written.
using Samples = std::map<std::string, double>;

Samples samples_of(const Daemon& daemon) {
    const auto response = RawClient(daemon.admin(), timeout).get("/metrics");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
    Samples samples;
    std::istringstream lines(response.body);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with('#')) continue;
        const auto space = line.rfind(' ');
        samples[line.substr(0, space)] = std::stod(line.substr(space + 1));
    }
    return samples;
}

/// Only the gauges may become less.
void expect_no_step_back(const Samples& before, const Samples& after) {
    for (const auto& [name, value] : before) {
        const auto bare = name.substr(0, name.find('{'));
        const bool counts = bare.ends_with("_total") || bare.ends_with("_count") ||
                            bare.ends_with("_bucket") || bare.ends_with("_sum");
        if (!counts) continue;
        const auto now = after.find(name);
        ASSERT_NE(now, after.end()) << name << " is gone";
        EXPECT_GE(now->second, value) << name;
    }
}

class Metrics : public ConnectionsTest {
  protected:
    static constexpr auto requests = "handover_requests_total{code=\"200\"}";
    static constexpr auto opened = "handover_connections_opened_total";

    static std::string handovers(const std::string& kind, const std::string& result) {
        return "handover_handovers_total{kind=\"" + kind + "\",result=\"" + result + "\"}";
    }
    static std::string connections(const std::string& ending) {
        return "handover_connections_total{ending=\"" + ending + "\"}";
    }
    static bool wait_for_value(double value, const std::string& name, const Daemon& daemon) {
        return eventually([&] { return samples_of(daemon).at(name) == value; });
    }
    static void ask(const Daemon& daemon, int count) {
        for (int i = 0; i < count; ++i) EXPECT_EQ(daemon.ask().status, 200);
    }
    static int status_of(const std::string& path, const Endpoint& endpoint) {
        return RawClient(endpoint, timeout).get(path).status;
    }
};

TEST_F(Metrics, go_on_over_reloads) {
    Daemon daemon(directory_, with_options({}));
    ask(daemon, 3);
    EXPECT_EQ(daemon.ask("/nowhere").status, 404);
    RawClient staying(daemon.address(), timeout);
    EXPECT_EQ(staying.get("/hello").status, 200);
    EXPECT_TRUE(daemon.wait_for_connections(1)) << "the others are seen to be closed";
    hand_over_to_the_end(daemon);
    hand_over_to_the_end(daemon);
    EXPECT_EQ(staying.get("/hello").status, 200);
    ask(daemon, 2);
    auto now = samples_of(daemon);
    EXPECT_EQ(now.at(requests), 3 + 1 + 1 + 2);
    EXPECT_EQ(now.at("handover_requests_total{code=\"404\"}"), 1);
    EXPECT_EQ(now.at("handover_generation"), 3);
    EXPECT_EQ(now.at(handovers("reload", "ok")), 2);
    EXPECT_EQ(now.at(handovers("reload", "failed")), 0);
    EXPECT_EQ(now.at("handover_handover_duration_seconds_count{kind=\"reload\"}"), 2);
    EXPECT_GT(now.at("handover_handover_duration_seconds_sum{kind=\"reload\"}"), 0);
    EXPECT_EQ(now.at("handover_drain_duration_seconds_count"), 2);
    EXPECT_EQ(now.at(connections("moved")), 2);
    EXPECT_EQ(now.at(opened), 3 + 1 + 1 + 2 + 2) << "one came three times";
    EXPECT_EQ(now.at("handover_fd_store_entries"), 0) << "there is no service manager";
    EXPECT_TRUE(wait_for_value(8, "handover_request_duration_seconds_count", daemon));
    EXPECT_TRUE(wait_for_value(1, "handover_connections{state=\"idle\"}", daemon));
}

TEST_F(Metrics, name_the_build) {
    const Daemon daemon(directory_, with_options({}));
    const auto build_id = daemon.status().at("build_id").get<std::string>();
    EXPECT_EQ(samples_of(daemon).at("handover_build_info{build_id=\"" + build_id +
                                    "\",version=\"" HANDOVERD_VERSION "\"}"),
              1);
}

TEST_F(Metrics, of_a_generation_that_drains_are_counted_as_well) {
    Daemon daemon(directory_, with_options({}));
    HeldRequest held(daemon.address());
    EXPECT_TRUE(wait_for_value(1, "handover_connections{state=\"active\"}", daemon));
    hand_over(daemon);
    ask(daemon, 1);
    EXPECT_EQ(samples_of(daemon).at(requests), 1);
    EXPECT_TRUE(wait_for_value(1, "handover_connections{state=\"draining\"}", daemon))
        << "a dashboard sees one service";
    held.release();
    expect_answer_of(1, held.client());
    EXPECT_EQ(samples_of(daemon).at(requests), 2) << "as soon as the client has the answer";
    expect_still_served_by(daemon, held.client());
    await_end_of(1, daemon);
    EXPECT_EQ(samples_of(daemon).at("handover_connections{state=\"draining\"}"), 0);
    EXPECT_EQ(samples_of(daemon).at(requests), 3);
    EXPECT_EQ(samples_of(daemon).at("handover_drain_duration_seconds_count"), 1);
}

TEST_F(Metrics, never_go_back_under_load_and_are_what_the_client_counted) {
    Daemon daemon(directory_, with_options({}));
    Load keeping(daemon.address(), {"--keep-alive", "--connections", "4", "--rate", "200"});
    Load fresh(daemon.address(), {"--connections", "4", "--rate", "200"});
    auto last = samples_of(daemon);
    while (daemon.generation() < 10) {
        hand_over(daemon);
        fresh.await_answers(2);
        auto now = samples_of(daemon);
        expect_no_step_back(last, now);
        last = std::move(now);
    }
    const auto answered =
        expect_nothing_lost(keeping).answered() + expect_nothing_lost(fresh).answered();
    const auto now = samples_of(daemon);
    expect_no_step_back(last, now);
    EXPECT_EQ(now.at(requests), answered);
}

TEST_F(Metrics, go_on_over_a_restart_and_a_crash) {
    auto daemon = std::make_unique<Daemon>(directory_, managed(with_long_idle_timeout()));
    ask(*daemon, 3);
    RawClient staying(daemon->address(), timeout);
    EXPECT_EQ(staying.get("/hello").status, 200);
    EXPECT_EQ(samples_of(*daemon).at("handover_fd_store_entries"), 3) << "http, admin, ledger";
    leave(*daemon);
    daemon = start_from_store(managed(with_long_idle_timeout()));
    EXPECT_EQ(staying.get("/hello").status, 200);
    auto now = samples_of(*daemon);
    EXPECT_EQ(now.at(requests), 5);
    EXPECT_EQ(now.at(handovers("restart", "ok")), 1);
    EXPECT_EQ(now.at(handovers("crash", "ok")), 0);
    EXPECT_EQ(now.at("handover_handover_duration_seconds_count{kind=\"restart\"}"), 1);
    EXPECT_EQ(now.at("handover_fd_store_entries"), 3);

    hand_over_to_the_end(*daemon);
    daemon->signal(SIGKILL);
    EXPECT_EQ(daemon->await_end(), -SIGKILL);
    daemon = start_from_store(managed(with_long_idle_timeout()));
    ask(*daemon, 1);
    now = samples_of(*daemon);
    EXPECT_EQ(now.at(requests), 6);
    EXPECT_EQ(now.at(handovers("restart", "ok")), 1);
    EXPECT_EQ(now.at(handovers("reload", "ok")), 1);
    EXPECT_EQ(now.at(handovers("crash", "ok")), 1);
    EXPECT_EQ(now.at("handover_handover_duration_seconds_count{kind=\"restart\"}"), 1)
        << "nobody knows when it crashed";
}

TEST_F(Metrics, of_a_service_that_was_stopped_tell_of_no_handover) {
    auto daemon = std::make_unique<Daemon>(directory_, managed(with_long_idle_timeout()));
    ask(*daemon, 1);
    // The store of a unit that preserves it; see FileDescriptorStorePreserve=.
    auto start = with_store(managed(with_long_idle_timeout()));
    std::erase_if(start.process.inherited, [](const auto& one) { return one.name != "ledger"; });
    daemon->signal(SIGTERM);
    EXPECT_EQ(daemon->await_end(), 0);
    const Daemon next(directory_, start);
    const auto now = samples_of(next);
    EXPECT_EQ(now.at(requests), 1) << "it is the same service, though";
    EXPECT_EQ(now.at(handovers("restart", "ok")), 0);
    EXPECT_EQ(now.at(handovers("crash", "ok")), 0);
}

TEST_F(Metrics, count_a_predecessor_that_dies_as_a_crash_where_its_successor_goes_on) {
    auto start = with_options(with_long_idle_timeout());
    start.probation = "1h";
    Daemon daemon(directory_, start);
    const auto old = daemon.pid();
    hand_over(daemon);
    ASSERT_EQ(::kill(old, SIGKILL), 0);
    EXPECT_TRUE(daemon.wait_for_state("serving"));
    EXPECT_EQ(samples_of(daemon).at(handovers("crash", "ok")), 1);
    EXPECT_EQ(samples_of(daemon).at(handovers("reload", "ok")), 0);
}

TEST_F(Metrics, count_a_rollback_once_and_what_the_dead_generation_had_counted) {
    auto start = with_options(with_long_idle_timeout());
    start.probation = "1h";
    Daemon daemon(directory_, start);
    ask(daemon, 1);
    daemon.signal(SIGUSR2);
    daemon.await_orphan(2);
    ask(daemon, 2);
    const auto before = daemon.log_size();
    daemon.signal(SIGKILL);
    daemon.await_rollback(before);
    ask(daemon, 1);
    const auto now = samples_of(daemon);
    EXPECT_EQ(now.at(requests), 4);
    EXPECT_EQ(now.at("handover_generation"), 1);
    EXPECT_EQ(now.at(handovers("reload", "rolled_back")), 1);
    EXPECT_EQ(now.at(handovers("reload", "ok")), 0);
    EXPECT_EQ(now.at(handovers("reload", "failed")), 0);
    EXPECT_EQ(daemon.status().at("handovers").at("reload").at("rolled_back"), 1);
}

TEST_F(Metrics, count_a_reload_that_fails) {
    Daemon daemon(directory_, from_copy());
    fs::remove(program());
    EXPECT_EQ(daemon.reload().status, 1);
    EXPECT_EQ(daemon.reload().status, 1);
    const auto now = samples_of(daemon);
    EXPECT_EQ(now.at(handovers("reload", "failed")), 2);
    EXPECT_EQ(now.at(handovers("reload", "ok")), 0);
    EXPECT_EQ(now.at("handover_handover_duration_seconds_count{kind=\"reload\"}"), 0);
}

TEST_F(Metrics, are_not_for_the_public) {
    const Daemon daemon(directory_, with_options({"--public-health"}));
    EXPECT_EQ(status_of("/metrics", daemon.address()), 404);
}

TEST_F(Metrics, have_a_listener_of_their_own_for_nothing_else) {
    Daemon daemon(directory_, with_options({"--metrics", "127.0.0.1:0"}));
    const auto own = [&] {
        const auto status = daemon.status();
        for (const auto& listener : status.at("listeners"))
            if (listener.at("name") == "metrics")
                return Endpoint::parse(listener.at("endpoint").get<std::string>());
        throw std::runtime_error("there is no metrics listener");
    };
    const auto before = own();
    for (const auto* path : {"/metrics", "/healthz", "/readyz"})
        EXPECT_EQ(status_of(path, own()), 200) << path;
    for (const auto* path : {"/status", "/hello", "/"}) EXPECT_EQ(status_of(path, own()), 404);
    RawClient client(own(), timeout);
    client.send("POST /reload HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(client.receive().status, 404);
    ask(daemon, 2);
    EXPECT_NE(RawClient(own(), timeout).get("/metrics").body.find(requests + std::string(" 2\n")),
              std::string::npos)
        << "the requests of the site, not those for metrics";

    hand_over_to_the_end(daemon);
    EXPECT_EQ(own(), before) << "it is handed over like any other";
    EXPECT_NE(RawClient(own(), timeout).get("/metrics").body.find("handover_generation 2\n"),
              std::string::npos);
}

// ---- health

class Health : public Metrics {};

TEST_F(Health, is_good_all_through_a_reload_and_not_when_the_service_stops) {
    auto start = from_copy({"--ready-timeout", "1h"});
    Daemon daemon(directory_, start);
    for (const auto* path : {"/healthz", "/readyz"})
        EXPECT_EQ(status_of(path, daemon.admin()), 200) << path;
    install_text("#!/bin/sh\nexec sleep 1000\n", fs::perms::owner_all, program());
    daemon.signal(SIGUSR2);
    EXPECT_TRUE(daemon.wait_for_state("handing over"));
    for (const auto* path : {"/healthz", "/readyz"})
        EXPECT_EQ(status_of(path, daemon.admin()), 200) << path;

    // What keeps it, and what asks it: nobody can connect any more.
    HeldRequest held(daemon.address());
    RawClient alive(daemon.admin(), timeout);
    RawClient ready(daemon.admin(), timeout);
    for (auto* client : {&alive, &ready}) EXPECT_EQ(client->get("/readyz").status, 200);
    daemon.signal(SIGTERM);
    daemon.await_line("generation 1 stops");
    const auto answer = ready.get("/readyz");
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.body, "not ready: stopping\n");
    EXPECT_EQ(alive.get("/healthz").status, 200);
    held.release();
    EXPECT_EQ(held.client().receive().status, 200);
    EXPECT_EQ(daemon.await_end(), 0);
}

TEST_F(Health, is_good_in_a_generation_that_drains) {
    // What it keeps to the end: a successor of version 1 knows nothing of connections that move.
    Daemon daemon(directory_, from_copy(with_long_idle_timeout({"--public-health"})));
    auto kept = idle_clients(daemon.address(), 1);
    HeldRequest held(daemon.address());
    install(PROTOCOL_1_PEER_PROGRAM, program());
    hand_over(daemon);
    daemon.await_line("the channel has ended");
    const auto answer = kept.front().get("/readyz");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "ready\n") << "the successor says 'version 1' to everybody";
    EXPECT_TRUE(answer.says_close()) << "it does not drain";
    held.release();
    EXPECT_EQ(answer_in(held.client().receive()).generation, 1U);
    await_end_of(1, daemon);
}

TEST_F(Health, is_not_good_in_a_generation_that_leaves_for_a_restart) {
    Daemon daemon(directory_, with_options(with_long_idle_timeout({"--public-health"})));
    HeldRequest held(daemon.address());
    std::vector<RawClient> asking;
    for (const auto& endpoint : {daemon.address(), daemon.admin()}) {
        asking.emplace_back(endpoint, timeout);
        EXPECT_EQ(asking.back().get("/readyz").status, 200);
    }
    daemon.signal(SIGUSR1);
    daemon.await_line("generation 1 leaves for a restart");
    for (auto& client : asking) {
        const auto answer = client.get("/readyz");
        EXPECT_EQ(answer.status, 503);
        EXPECT_EQ(answer.body, "not ready: leaving\n");
    }
    held.release();
    EXPECT_EQ(held.client().receive().status, 200);
    EXPECT_EQ(daemon.await_end(), 0);
}

TEST_F(Health, is_hidden_by_no_file_of_its_name) {
    const auto root = directory_ / "www";
    fs::create_directory(root);
    for (const auto* name : {"healthz", "readyz"})
        install_text("a file\n", fs::perms::owner_read, root / name);
    const std::vector<std::string> with_files{"--root", root};
    {
        const Daemon daemon(directory_, with_options(with_files));
        for (const auto* path : {"/healthz", "/readyz"})
            EXPECT_EQ(daemon.ask(path).body, "a file\n") << "nobody wants anything else";
    }
    const TemporaryDirectory elsewhere;
    auto start = with_options(with_files);
    start.options.emplace_back("--public-health");
    const Daemon daemon(elsewhere, start);
    EXPECT_EQ(daemon.ask("/healthz").body, "alive\n");
    EXPECT_EQ(daemon.ask("/readyz").body, "ready\n");
}

TEST_F(Health, is_told_to_the_public_only_if_configured) {
    {
        const Daemon daemon(directory_, with_options({}));
        for (const auto* path : {"/healthz", "/readyz"})
            EXPECT_EQ(status_of(path, daemon.address()), 404) << path;
    }
    const auto file = directory_ / "options";
    install_text("public-health=true\n", fs::perms::owner_all, file);
    const TemporaryDirectory elsewhere;
    Daemon daemon(elsewhere, with_options({"--config", file}));
    for (const auto* path : {"/healthz", "/readyz"})
        EXPECT_EQ(status_of(path, daemon.address()), 200) << path;
    EXPECT_EQ(status_of("/status", daemon.address()), 404);
}

}  // namespace
}  // namespace handover::test
