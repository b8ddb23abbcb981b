// SPDX-License-Identifier: MIT
// Listeners that come and go by a changed configuration, while the others keep serving.

#include "process/held_request.h"
#include "process/process_fixture.h"

#include <csignal>
#include <optional>
#include <string>
#include <vector>

namespace handover::test {
namespace {

namespace fs = std::filesystem;

class ChangedListeners : public ProcessTest {
  protected:
    void configure(const std::vector<std::string>& addresses) const {
        std::string lines;
        for (const auto& address : addresses) lines += "listen=" + address + "\n";
        install_text(lines, fs::perms::owner_read, file());
    }
    [[nodiscard]] fs::path file() const { return directory_ / "handoverd.conf"; }
    [[nodiscard]] DaemonOptions configured() const {
        return {.listen = {}, .options = {"--config", file()}};
    }
    [[nodiscard]] std::string unix_address(const std::string& name) const {
        return "unix:" + (directory_ / name).string();
    }
};

TEST_F(ChangedListeners, several_are_served_at_once) {
    configure({"127.0.0.1:0", "[::1]:0", unix_address("a")});
    Daemon daemon(directory_, configured());
    for (std::uint64_t generation = 1; generation <= 3; ++generation) {
        for (std::size_t i = 0; i < 3; ++i) {
            RawClient client(daemon.address(i), timeout);
            EXPECT_EQ(answer_in(client.get("/hello")).generation, generation);
        }
        if (generation < 3) {
            EXPECT_EQ(daemon.reload().status, 0);
        }
    }
    EXPECT_EQ(daemon.status().at("listeners").size(), 4U);
}

TEST_F(ChangedListeners, one_is_added_and_one_removed_while_another_serves) {
    configure({"127.0.0.1:0", unix_address("removed")});
    Daemon daemon(directory_, configured());
    const auto kept = daemon.address(0);
    const auto removed = daemon.address(1);
    Load load(kept, {"--connections", "4", "--rate", "200"});

    configure({kept.to_string(), unix_address("added")});
    const auto told = daemon.reload();
    EXPECT_EQ(told.status, 0) << told.err;
    daemon.await_line("the inherited listener 'http' on " + removed.to_string() +
                      " is not configured any more: closed");
    load.await_answers(10);

    EXPECT_EQ(daemon.address(0), kept);
    RawClient client(Endpoint::parse(unix_address("added")), timeout);
    EXPECT_EQ(answer_in(client.get("/hello")).generation, 2U);
    EXPECT_TRUE(eventually([&] { return refuses(removed); }));
    const auto report = expect_nothing_lost(load);
    EXPECT_EQ(report.last_generation(), 2);
}

TEST_F(ChangedListeners, path_of_a_removed_one_is_unlinked_and_can_come_back) {
    configure({"127.0.0.1:0", unix_address("path")});
    Daemon daemon(directory_, configured());
    const auto kept = daemon.address(0).to_string();
    configure({kept});
    EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_TRUE(eventually([&] { return refuses(Endpoint::parse(unix_address("path"))); }));
    EXPECT_FALSE(fs::exists(directory_ / "path"));
    configure({kept, unix_address("path")});
    EXPECT_EQ(daemon.reload().status, 0);
    RawClient client(Endpoint::parse(unix_address("path")), timeout);
    EXPECT_EQ(answer_in(client.get("/hello")).generation, 3U);
}

TEST_F(ChangedListeners, request_in_flight_on_a_removed_one_is_answered) {
    configure({unix_address("removed"), "127.0.0.1:0"});
    Daemon daemon(directory_, configured());
    const auto old = daemon.pid();
    HeldRequest held(daemon.address());
    configure({daemon.address(1).to_string()});
    EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_EQ(answer_in(held.finish()).pid, old);
    EXPECT_EQ(await_end(old), 0);
}

/// As long as the generation before may take over again, what it serves is served.
class ListenerOnProbation : public ChangedListeners {
  protected:
    ListenerOnProbation() {
        configure({"127.0.0.1:0", "127.0.0.1:0"});
        daemon_.emplace(directory_, on_probation());
        kept_ = daemon_->address(0).to_string();
        removed_ = daemon_->address(1);
        configure({kept_});
    }
    [[nodiscard]] DaemonOptions on_probation() const {
        auto start = configured();
        start.probation = "1h";
        return start;
    }

    std::optional<Daemon> daemon_;
    std::string kept_;
    std::optional<Endpoint> removed_;
};

TEST_F(ListenerOnProbation, that_is_removed_is_served_once_a_connection_and_refused_afterwards) {
    EXPECT_EQ(daemon_->reload().status, 0);
    RawClient client(*removed_, timeout);
    const auto response = client.get("/hello");
    EXPECT_EQ(answer_in(response).generation, 2U);
    EXPECT_TRUE(response.says_close());
    EXPECT_TRUE(client.closed_by_server());
    EXPECT_EQ(daemon_->status().at("listeners").size(), 2U) << "it is not there any more";
    EXPECT_EQ(daemon_->reload().status, 0) << "which ends the probation";
    EXPECT_TRUE(eventually([&] { return refuses(*removed_); }));
    EXPECT_EQ(daemon_->ask().generation, 3U);
}

TEST_F(ListenerOnProbation, that_is_removed_comes_back_in_a_rollback) {
    EXPECT_EQ(daemon_->reload().status, 0);
    const auto before = daemon_->log_size();
    daemon_->signal(SIGKILL);
    daemon_->await_rollback(before);
    RawClient client(*removed_, timeout);
    const auto response = client.get("/hello");
    EXPECT_EQ(answer_in(response).generation, 1U);
    EXPECT_FALSE(response.says_close());
}

TEST_F(ChangedListeners, idle_connection_of_a_removed_one_is_answered_once_more) {
    configure({"127.0.0.1:0", "127.0.0.1:0"});
    Daemon daemon(directory_, configured());
    RawClient staying(daemon.address(0), timeout);
    RawClient leaving(daemon.address(1), timeout);
    for (auto* client : {&staying, &leaving}) EXPECT_EQ(client->get("/hello").status, 200);
    configure({daemon.address(0).to_string()});
    EXPECT_EQ(daemon.reload().status, 0);
    daemon.await_line("generation 1 ended: ");
    const auto last = leaving.get("/hello");
    EXPECT_EQ(answer_in(last).generation, 2U);
    EXPECT_TRUE(last.says_close());
    EXPECT_TRUE(leaving.closed_by_server());
    const auto response = staying.get("/hello");
    EXPECT_EQ(answer_in(response).generation, 2U);
    EXPECT_FALSE(response.says_close());
}

TEST_F(ChangedListeners, nobody_at_a_removed_one_is_reset) {
    for (const auto& address : {std::string("127.0.0.1:0"), unix_address("removed")}) {
        SCOPED_TRACE(address);
        configure({"127.0.0.1:0", address});
        const TemporaryDirectory place;
        Daemon daemon(place, configured());
        Load kept(daemon.address(0), {"--connections", "4", "--rate", "200"});
        Load removed(daemon.address(1), {"--connections", "8", "--rate", "800"});
        removed.await_answers(20);
        configure({daemon.address(0).to_string()});
        EXPECT_EQ(daemon.reload().status, 0);
        daemon.await_line("generation 1 ended: ");
        kept.await_answers(10);
        expect_nothing_lost(kept);
        const auto report = removed.stop();
        EXPECT_GT(report.not_connected(), 0) << "it is not removed" << report;
        EXPECT_EQ(report.failed(), report.not_connected()) << report;
    }
}

TEST_F(ChangedListeners, one_for_metrics_is_added_and_moved_and_dropped) {
    const auto configure_metrics = [this](const std::string& listen, const std::string& metrics) {
        install_text("listen=" + listen + "\n" + metrics, fs::perms::owner_read, file());
    };
    const auto generation_told_at = [this](const std::string& name) {
        return RawClient(Endpoint::parse(unix_address(name)), timeout).get("/metrics").body;
    };
    configure({"127.0.0.1:0"});
    Daemon daemon(directory_, configured());
    const auto listen = daemon.address().to_string();
    Load load(daemon.address(), {"--connections", "4", "--rate", "200"});
    const auto refuses_in_the_end = [this](const std::string& name) {
        return eventually([&] { return refuses(Endpoint::parse(unix_address(name))); });
    };

    configure_metrics(listen, "metrics=" + unix_address("one") + "\n");
    EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_NE(generation_told_at("one").find("handover_generation 2\n"), std::string::npos);
    configure_metrics(listen, "metrics=" + unix_address("other") + "\n");
    EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_NE(generation_told_at("other").find("handover_generation 3\n"), std::string::npos);
    EXPECT_TRUE(refuses_in_the_end("one"));
    EXPECT_FALSE(fs::exists(directory_ / "one"));
    configure_metrics(listen, "");
    EXPECT_EQ(daemon.reload().status, 0);
    EXPECT_TRUE(refuses_in_the_end("other"));
    EXPECT_FALSE(fs::exists(directory_ / "other"));
    EXPECT_EQ(daemon.status().at("listeners").size(), 2U);
    load.await_answers(10);
    expect_nothing_lost(load);
}

}  // namespace
}  // namespace handover::test
