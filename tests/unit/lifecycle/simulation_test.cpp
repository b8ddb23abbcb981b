// SPDX-License-Identifier: MIT
// A million handovers in the world of lifecycle_model.h, with whatever can go wrong, in any order.
#include "unit/lifecycle/model.h"
#include "unit/lifecycle/model_invariants.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <ostream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace handover::test {
namespace {

using namespace model;
using Kind = Step::Kind;

constexpr std::uint64_t default_handovers = slow_build ? 50'000 : 1'000'000;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// The same every time unless asked otherwise: whoever changes something else must not be the one
/// who meets a new seed. HANDOVER_SIMULATION_SEED=random looks further.
std::uint64_t seed_from_environment() {
    const char* text = std::getenv("HANDOVER_SIMULATION_SEED");
    if (text != nullptr && std::string_view(text) == "random") return std::random_device{}();
    constexpr std::uint64_t standard = 1;
    return text != nullptr ? std::strtoull(text, nullptr, 10) : standard;
}

/// What a request or a fault weighs against what goes on by itself, in each life anew: so some are
/// calm and some are not.
constexpr std::array weights_of_trouble{0, 1, 1, 2, 10, 40};
constexpr int weight_of_progress = 100;
/// A world begins anew now and then, for a service without a manager cannot come back.
constexpr int steps_in_a_life = 400;

/// One service from its first start, until it is asked to stop or has gone on for long enough.
class Life {
  public:
    /// All that happens follows from the seed.
    explicit Life(std::uint64_t seed) : random_(seed) {
        limits_.manager = pick(2) == 0;
        limits_.generations = 1 << 7U;
        limits_.connections = 1 + pick(most_connections);
        limits_.requests = 200;
        limits_.faults = pick(2) == 0 ? 0 : 100;
        trouble_ = weights_of_trouble[static_cast<std::size_t>(pick(weights_of_trouble.size()))];
        world_ = beginning(limits_);
    }

    /// The invariant that was violated; empty if none was.
    [[nodiscard]] std::string_view run(std::vector<std::string>* trace = nullptr) {
        for (int count = 0; count < steps_in_a_life; ++count) {
            if (!take_a_step(trace)) break;
            const auto wrong = violated(world_, Invariant::When::always);
            if (!wrong.empty()) return wrong;
        }
        if (trace != nullptr) trace->emplace_back("and left alone:");
        if (!leave_alone(world_, trace)) return "nobody_waits_for_ever";
        const auto wrong = violated(world_, Invariant::When::always);
        return wrong.empty() ? violated(world_, Invariant::When::at_rest) : wrong;
    }

    [[nodiscard]] std::uint64_t handovers() const {
        return static_cast<std::uint64_t>(limits_.generations - 1 - world_.starts_left);
    }
    [[nodiscard]] std::uint64_t completed() const { return completed_; }
    [[nodiscard]] std::uint64_t steps() const { return steps_; }

  private:
    template <typename Number>
    int pick(Number below) {
        return static_cast<int>(random() % static_cast<std::uint64_t>(below));
    }

    bool take_a_step(std::vector<std::string>* trace) {
        possible_.clear();
        append_possible(world_, possible_);
        append_connects();
        if (possible_.empty()) return false;
        const Step step = choose();
        const auto text = trace != nullptr ? to_string(step, world_) : std::string();
        if (step.kind == Kind::read_predecessor &&
            world_.generations[static_cast<std::uint8_t>(step.who)].down.items[0] == Word::promoted)
            ++completed_;
        apply(world_, step);
        if (trace != nullptr) trace->push_back(text + "  [" + to_string(world_) + "]");
        ++steps_;
        return true;
    }

    /// Clients come again, to whoever accepts.
    void append_connects() {
        const auto gone =
            world_.finished | world_.cut | world_.died | world_.unreadable | world_.lost_with_store;
        for (Index index = 0; index < most_processes; ++index)
            for (std::uint8_t connection = 0; connection < most_connections; ++connection)
                if (world_.generations[static_cast<std::uint8_t>(index)].accepts &&
                    (static_cast<unsigned>(gone) >> connection & 1U) != 0)
                    possible_.push_back({Kind::connect, index, connection});
    }

    /// A handover is what we are here for; a stop ends the fun.
    [[nodiscard]] int weight(const Step& step) const {
        if (step.kind == Kind::pass_ready_timeout) return trouble_;
        if (step.kind < Kind::send_signal || step.kind == Kind::connect) return weight_of_progress;
        if (step.kind == Kind::send_signal &&
            step.what == static_cast<std::uint8_t>(Signal::handover))
            return weight_of_progress / 4;
        if (step.kind == Kind::send_signal || step.kind == Kind::stop_service)
            return std::min(trouble_, 1);
        return trouble_;
    }

    Step choose() {
        int sum = 0;
        for (const auto& step : possible_) sum += weight(step);
        if (sum == 0) return possible_.front();
        int left = pick(sum);
        for (const auto& step : possible_) {
            left -= weight(step);
            if (left < 0) return step;
        }
        return possible_.back();
    }

    /// SplitMix64: quick to seed, and neighbouring seeds have nothing in common.
    std::uint64_t random() {
        random_ += 0x9e3779b97f4a7c15U;
        std::uint64_t value = random_;
        value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
        value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
        return value ^ (value >> 31U);
    }

    std::uint64_t random_;
    Limits limits_;
    World world_;
    std::vector<Step> possible_;
    int trouble_ = 0;
    std::uint64_t steps_ = 0;
    std::uint64_t completed_ = 0;
};

std::string story_of(std::uint64_t seed) {
    std::vector<std::string> trace;
    (void)Life(seed).run(&trace);
    // The beginning of a long life matters less than its end.
    constexpr std::size_t most_lines = 120;
    std::string text;
    for (std::size_t i = trace.size() > most_lines ? trace.size() - most_lines : 0;
         i < trace.size(); ++i)
        text += "    " + trace[i] + "\n";
    return text;
}

TEST(LifecycleSimulation, a_million_handovers_with_faults_break_no_invariant) {
    const auto seed = seed_from_environment();
    const auto wanted = from_environment("HANDOVER_SIMULATION_HANDOVERS", default_handovers);
    const auto begun = std::chrono::steady_clock::now();
    std::uint64_t handovers = 0;
    std::uint64_t completed = 0;
    std::uint64_t steps = 0;
    // A life of its own seed each, the first of which is the seed: so that one replays what failed.
    for (std::uint64_t life = seed; handovers < wanted; ++life) {
        Life one(life);
        const auto wrong = one.run();
        ASSERT_TRUE(wrong.empty())
            << wrong << " is violated in the life of seed " << life << ", which ends so:\n"
            << story_of(life) << "Again: HANDOVER_SIMULATION_SEED=" << life
            << " ctest --preset release -R LifecycleSimulation";
        handovers += one.handovers();
        completed += one.completed();
        steps += one.steps();
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    std::cout << handovers << " handovers, " << completed << " to the end of a probation, in "
              << steps << " steps, from seed " << seed << " on, "
              << static_cast<std::uint64_t>(static_cast<double>(handovers) / took.count())
              << " per second"
              << (wanted < 1'000'000 ? "; fewer than the million of a release" : "") << '\n';
}

}  // namespace
}  // namespace handover::test
