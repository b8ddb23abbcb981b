// SPDX-License-Identifier: MIT
// Every order in which things can happen to two and to three generations, within the limits below.
#include "unit/lifecycle/model.h"

#include "unit/lifecycle/model_invariants.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace handover::test {
namespace {

using namespace model;

/// A start of one or two successors, so many requests and faults, each at any time; and so many
/// steps after the beginning.
struct Scope {
    std::string_view name;
    Limits limits;
    int depth;
    bool in_slow_builds = false;
};

const std::vector<Scope> scopes = {
    {"two generations, with a manager", {true, 2, 1, 3, 1}, 60},
    {"two generations, with a manager and more faults", {true, 2, 1, 2, 2}, 60},
    {"two generations, without a manager", {false, 2, 2, 3, 2}, 60, true},
    {"three generations, with a manager", {true, 3, 1, 2, 1}, 60, true},
    {"three generations, with a manager, deeper", {true, 3, 1, 3, 1}, 17},
    {"three generations, without a manager", {false, 3, 1, 4, 2}, 60},
};

/// Breadth first, every distinct world once: so all orders are covered without being counted, and
/// the first violation is a shortest one.
class Exploration {
  public:
    explicit Exploration(const Scope& scope) : scope_(scope) {
        visit(beginning(scope.limits), 0, {});
        std::size_t begin = 0;
        for (depth_ = 0; depth_ < scope.depth && begin < found_.size(); ++depth_) {
            const std::size_t end = found_.size();
            for (; begin < end; ++begin) extend(begin);
        }
        complete_ = begin == found_.size();
    }

    /// Empty if it holds; otherwise how it is violated.
    [[nodiscard]] std::string violation(std::string_view invariant) const {
        const auto found = violations_.find(invariant);
        return found == violations_.end() ? "" : found->second;
    }
    [[nodiscard]] std::string account() const {
        return std::string(scope_.name) + ": " + std::to_string(found_.size()) +
               " distinct worlds, " +
               (complete_ ? "all there are, the last after " : "to a depth of ") +
               std::to_string(depth_) + " steps";
    }

  private:
    struct Found {
        World world;
        std::uint32_t parent;
        Step step;
    };

    void extend(std::size_t parent) {
        // What comes after a violation tells nothing new.
        const World before = found_[parent].world;
        if (!violated(before, Invariant::When::always).empty()) return;
        steps_.clear();
        append_possible(before, steps_);
        for (const auto& step : steps_) {
            World after = before;
            apply(after, step);
            visit(after, static_cast<std::uint32_t>(parent), step);
        }
    }

    void visit(const World& world, std::uint32_t parent, Step step) {
        const auto index = static_cast<std::uint32_t>(found_.size());
        found_.push_back({world, parent, step});
        if (!visited_.insert(index).second) return found_.pop_back();
        check(index);
    }

    void check(std::uint32_t index) {
        const World& world = found_[index].world;
        note(violated(world, Invariant::When::always), index, false);
        if (world.blunder != Blunder::none) return;
        World rest = world;
        if (!leave_alone(rest)) return note("nobody_waits_for_ever", index, true);
        note(violated(rest, Invariant::When::always), index, true);
        note(violated(rest, Invariant::When::at_rest), index, true);
    }

    void note(std::string_view invariant, std::uint32_t index, bool left_alone) {
        if (invariant.empty() || violations_.count(invariant) != 0) return;
        auto lines = path_to(index);
        World rest = found_[index].world;
        if (left_alone) {
            lines.emplace_back("and left alone:");
            (void)leave_alone(rest, &lines);
        }
        auto& text = violations_[invariant];
        text = std::string(scope_.name) + ":\n";
        for (const auto& line : lines) text += "    " + line + "\n";
    }

    [[nodiscard]] std::vector<std::string> path_to(std::uint32_t index) const {
        std::vector<std::string> lines;
        for (; index != 0; index = found_[index].parent) {
            const auto& [world, parent, step] = found_[index];
            lines.push_back(to_string(step, found_[parent].world) + "  [" + to_string(world) + "]");
        }
        std::reverse(lines.begin(), lines.end());
        return lines;
    }

    struct Hash {
        const std::vector<Found>* found;
        std::size_t operator()(std::uint32_t index) const { return hash((*found)[index].world); }
    };
    struct Equal {
        const std::vector<Found>* found;
        bool operator()(std::uint32_t left, std::uint32_t right) const {
            return (*found)[left].world == (*found)[right].world;
        }
    };

    const Scope& scope_;
    std::vector<Found> found_;
    std::unordered_set<std::uint32_t, Hash, Equal> visited_{1U << 20U, Hash{&found_},
                                                            Equal{&found_}};
    std::vector<Step> steps_;
    std::map<std::string_view, std::string> violations_;
    int depth_ = 0;
    bool complete_ = false;
};

/// What is left of an exploration: it needs a lot of memory.
struct Result {
    std::string account;
    std::map<std::string_view, std::string> violations;
};

const std::vector<Result>& results() {
    static const auto all = [] {
        std::vector<Result> made;
        for (const auto& scope : scopes) {
            if (slow_build && !scope.in_slow_builds) {
                std::cout << scope.name << ": not explored in a build as slow as this one\n";
                continue;
            }
            const Exploration exploration(scope);
            Result result{exploration.account(), {}};
            for (const auto& invariant : invariants())
                result.violations[invariant.name] = exploration.violation(invariant.name);
            std::cout << result.account << std::endl;
            made.push_back(std::move(result));
        }
        return made;
    }();
    return all;
}

/// The invariant that has the name of the test.
void expect_in_every_world() {
    const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    for (const auto& result : results()) {
        const auto& violation = result.violations.at(name);
        EXPECT_TRUE(violation.empty()) << violation;
    }
}

TEST(LifecycleModel, some_generation_accepts_or_the_listener_is_in_the_store) {
    expect_in_every_world();
}

TEST(LifecycleModel, at_most_one_believes_it_is_main) {
    expect_in_every_world();
}

TEST(LifecycleModel, ready_follows_every_reloading) {
    expect_in_every_world();
}

TEST(LifecycleModel, each_connection_has_exactly_one_owner) {
    expect_in_every_world();
}

TEST(LifecycleModel, no_generation_that_ends_in_good_order_drops_a_connection) {
    expect_in_every_world();
}

TEST(LifecycleModel, a_stop_or_a_restart_loses_no_connection_in_the_store) {
    expect_in_every_world();
}

TEST(LifecycleModel, nobody_blunders) {
    expect_in_every_world();
}

TEST(LifecycleModel, stop_always_ends) {
    expect_in_every_world();
}

TEST(LifecycleModel, nobody_waits_for_ever) {
    expect_in_every_world();
}

TEST(LifecycleModel, one_generation_serves) {
    expect_in_every_world();
}

TEST(LifecycleModel, the_manager_knows_the_main_process) {
    expect_in_every_world();
}

TEST(LifecycleModel, no_connection_waits_in_the_store) {
    expect_in_every_world();
}

}  // namespace
}  // namespace handover::test
