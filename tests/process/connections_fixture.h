// SPDX-License-Identifier: MIT
#pragma once

#include "process/held_request.h"
#include "process/managed_fixture.h"

#include <gtest/gtest.h>

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <map>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

namespace handover::test {

inline const std::string get_hello = "GET /hello HTTP/1.1\r\nHost: test\r\n\r\n";

/// What a generation said of its connections, by the names of counts.h; what is 0 is left out.
using Account = std::map<std::string, std::uint64_t>;

/// In "generation 1 ended: held 3 = 2 moved + 1 closed by client; and what more there is to say".
inline Account account_in(const std::string& line) {
    Account account;
    const auto begin = line.find("held ");
    if (begin == std::string::npos) return account;
    std::istringstream in(line.substr(begin, line.find(';', begin) - begin));
    std::string word;
    in >> word >> account["held"] >> word;  // and the "="
    std::uint64_t count = 0;
    while (in >> count) {
        std::string name;
        while (in >> word && word != "+") name += (name.empty() ? "" : "_") + word;
        account[name] = count;
    }
    return account;
}

inline Account account_in(const nlohmann::json& json) {
    auto account = json.get<Account>();
    std::erase_if(account, [](const auto& one) { return one.second == 0; });
    return account;
}

inline std::uint64_t sum_of_causes(const Account& account) {
    return std::accumulate(account.begin(), account.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const auto& one) {
                               return one.first == "held" ? sum : sum + one.second;
                           });
}

/// Answered by that generation, which keeps the connection.
inline void expect_answer_of(std::uint64_t generation, RawClient& client) {
    const auto response = client.receive();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(answer_in(response).generation, generation) << response.head;
    EXPECT_FALSE(response.says_close()) << response.head;
}

inline void expect_still_served_by(const Daemon& daemon, RawClient& client) {
    const auto response = client.get("/hello");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(answer_in(response).pid, daemon.pid());
    EXPECT_EQ(answer_in(response).generation, daemon.generation());
    EXPECT_FALSE(response.says_close()) << response.head;
}

/// Waits until the other end has read all that this one has sent, so that it is no longer just in
/// the kernel, where it would be anybody's who has the connection. Only a local socket can tell.
inline void await_read(const RawClient& local) {
    EXPECT_TRUE(eventually([&] {
        int unread = -1;
        return ::ioctl(local.fd(), SIOCOUTQ, &unread) == 0 && unread == 0;
    }));
}

inline std::vector<RawClient> idle_clients(const Endpoint& server, std::size_t count) {
    std::vector<RawClient> clients;
    for (std::size_t i = 0; i < count; ++i) {
        clients.emplace_back(server, timeout);
        EXPECT_EQ(clients.back().get("/hello").status, 200);
    }
    return clients;
}

/// All of them were asked, and all were answered by that generation on the same connection.
inline void expect_all_answered_by(std::uint64_t generation, IdleConnections& idle,
                                   std::int64_t count) {
    const auto report = idle.ask();
    EXPECT_EQ(report.answered(), count) << report;
    EXPECT_EQ(report.failed(), 0) << report;
    EXPECT_EQ(report.closed_while_idle, 0) << report;
    EXPECT_EQ(report.announced_closes, 0) << report;
    EXPECT_EQ(report.generations,
              (std::map<std::string, std::int64_t>{{std::to_string(generation), count}}))
        << report;
    EXPECT_EQ(idle.count(), count);
}

/// Clients whose connections shall go on in the next generation.
class ConnectionsTest : public ManagedTest {
  protected:
    using ManagedTest::ManagedTest;

    /// An hour: none of them shall be closed for its idleness.
    static std::vector<std::string> with_long_idle_timeout(std::vector<std::string> more = {}) {
        more.insert(more.end(), {"--idle-timeout", "1h"});
        return more;
    }

    [[nodiscard]] DaemonOptions managed_on_unix() const {
        auto start = managed(with_long_idle_timeout());
        start.listen = {"unix:" + (directory_ / "http.sock").string()};
        return start;
    }

    /// Hands over and waits until only the successor accepts.
    static void hand_over(Daemon& daemon) {
        daemon.signal(SIGUSR2);
        daemon.await_generation(daemon.generation() + 1);
    }
    /// The same, and until the predecessor, which has nothing in flight, has moved all and ended:
    /// until then it answers as well.
    static void hand_over_to_the_end(Daemon& daemon) {
        hand_over(daemon);
        await_end_of(daemon.generation() - 1, daemon);
    }
    static std::string await_end_of(std::uint64_t generation, Daemon& daemon) {
        return daemon.await_line("generation " + std::to_string(generation) + " ended: ");
    }
    /// Waits until so many have come to the generation that serves: from then on the one before it
    /// begins no more requests.
    static void await_imports(const Daemon& daemon, std::size_t count) {
        EXPECT_TRUE(eventually([&] {
            const auto imported = daemon.status().at("arrivals");
            return imported.is_object() && imported.at("adopted") == count;
        }));
    }

    /// The account in its last line, which has to add up.
    static Account account_of(std::uint64_t generation, Daemon& daemon) {
        const auto line = await_end_of(generation, daemon);
        auto account = account_in(line);
        EXPECT_EQ(account["held"], sum_of_causes(account)) << line;
        return account;
    }

    /// What the generation that serves was told by the one before it.
    static Account account_received_by(const Daemon& daemon) {
        nlohmann::json account;
        EXPECT_TRUE(eventually([&] {
            account = daemon.status().at("arrivals").at("predecessor");
            return account.is_object();
        })) << "the predecessor ended without a word";
        return account.is_object() ? account_in(account) : Account();
    }

    std::size_t stored_channels() {
        const auto names = manager_.stored_names();
        return static_cast<std::size_t>(std::count(names.begin(), names.end(), "channel"));
    }

    /// Leaves for a restart; returns when no process is left.
    static void leave(Daemon& daemon) {
        daemon.signal(SIGUSR1);
        EXPECT_EQ(daemon.await_end(), 0);
    }
};

}  // namespace handover::test
