// SPDX-License-Identifier: MIT
// A random walk through what can happen to the service, under load, with and without the .socket
// unit. HANDOVER_SOAK_SECONDS: how long both together; HANDOVER_SOAK_SEED: go the same way again;
// HANDOVER_SOAK_SUITE: the Debian release whose systemd it is.
#include "soak/soak.h"

#include <cstdlib>
#include <iostream>
#include <random>

namespace handover::test {
namespace {

using std::chrono::seconds;

std::optional<std::string> environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? std::optional<std::string>(value) : std::nullopt;
}

std::uint64_t seed() {
    if (const auto given = environment("HANDOVER_SOAK_SEED")) return std::stoull(*given);
    return std::random_device()();
}

class SoakTest : public Soak, public testing::WithParamInterface<bool> {};
INSTANTIATE_TEST_SUITE_P(, SoakTest, testing::Bool(), [](const auto& test) {
    return test.param ? "with_socket_unit" : "without_socket_unit";
});

TEST_P(SoakTest, ends_with_exact_totals) {
    const bool socket_unit = GetParam();
    const seconds duration(std::stol(environment("HANDOVER_SOAK_SECONDS").value_or("90")) / 2);
    const auto chosen = seed();
    std::cout << duration.count() << " s; to go the same way again: HANDOVER_SOAK_SEED=" << chosen
              << std::endl;
    std::vector<unsigned> weights;
    for (const auto& action : actions())
        weights.push_back(action.needs_socket_unit && !socket_unit ? 0 : action.weight);
    Walk walk(chosen, weights);

    begin({environment("HANDOVER_SOAK_SUITE").value_or("bookworm"), socket_unit}, duration);
    const auto end = Clock::now() + duration;
    while (Clock::now() < end && !HasFailure()) {
        const Step step = walk.next();
        perform(actions()[step.action], step);
    }
    finish();
}

}  // namespace
}  // namespace handover::test
