// SPDX-License-Identifier: MIT
#include "bench/client.h"

#include <thread>

namespace handover::bench {
namespace {

constexpr auto target = "127.0.0.1:9999";

/// Servers are on core 0 (server.cpp).
std::string client_cores() {
    const unsigned count = std::thread::hardware_concurrency();
    return count < 2 ? "0" : "1-" + std::to_string(count - 1);
}

test::ChildProcess start(const test::Container& container,
                         const std::vector<std::string>& command) {
    std::vector<std::string> argv{"taskset", "--cpu-list", client_cores()};
    argv.insert(argv.end(), command.begin(), command.end());
    return container.spawn_in_network(argv);
}

}  // namespace

test::Load start_load(const test::Container& container, const std::vector<std::string>& options) {
    return {start(container, test::Load::command(target, options)), "load_client"};
}

test::Load start_asking(const test::Container& container) {
    return start_load(container, {"--rate", "1000", "--connections", "1"});
}

test::IdleConnections start_idle(const test::Container& container, std::size_t count) {
    return {start(container, test::IdleConnections::command(target, count)), "idle_client"};
}

}  // namespace handover::bench
