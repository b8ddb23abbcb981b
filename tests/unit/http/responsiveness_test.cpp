// SPDX-License-Identifier: MIT
// What the service manager's watchdog is told by.
#include "unit/http/server_fixture.h"

#include <algorithm>
#include <thread>
#include <vector>

namespace handover::http {
namespace {

using std::chrono::milliseconds;

TEST(Responsiveness, is_there_while_nothing_happens) {
    TestServer server;
    EXPECT_TRUE(server->is_responsive(milliseconds(0))) << "there is no thread yet";
    server.start();
    EXPECT_TRUE(server->is_responsive(milliseconds(0)));
}

TEST(Responsiveness, is_lost_when_every_thread_is_stuck_and_comes_back) {
    ServerOptions options;
    options.threads_max = std::max(2U, std::thread::hardware_concurrency());
    TestServer server(options);
    server.start();
    std::vector<RawClient> clients;
    for (std::size_t i = 0; i + 1 < options.threads_max; ++i)
        clients.push_back(server.connect_and_block());
    // The other one may be at work, too, for a moment.
    EXPECT_TRUE(eventually([&] { return server->is_responsive(milliseconds(0)); }));
    clients.push_back(server.connect_and_block());
    EXPECT_TRUE(server->is_responsive(std::chrono::hours(1))) << "not for so long";
    EXPECT_TRUE(eventually([&] { return !server->is_responsive(milliseconds(20)); }));
    server.release();
    EXPECT_TRUE(eventually([&] { return server->is_responsive(milliseconds(0)); }));
}

}  // namespace
}  // namespace handover::http
