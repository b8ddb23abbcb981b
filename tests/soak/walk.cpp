// SPDX-License-Identifier: MIT
#include "soak/walk.h"

#include <numeric>
#include <utility>

namespace handover::test {
namespace {

constexpr unsigned moments = 50;
constexpr unsigned choices = 2520;  // divided by every number up to 10

}  // namespace

Walk::Walk(std::uint64_t seed, std::vector<unsigned> weights)
    : random_(seed),
      weights_(std::move(weights)),
      all_weights_(std::accumulate(weights_.begin(), weights_.end(), 0U)) {}

Step Walk::next() {
    Step step;
    auto drawn = below(all_weights_);
    while (drawn >= weights_[step.action]) drawn -= weights_[step.action++];
    step.moment_ms = below(moments);
    step.choice = below(choices);
    return step;
}

}  // namespace handover::test
