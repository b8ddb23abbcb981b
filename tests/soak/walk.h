// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace handover::test {

/// What comes next, and two numbers for it to make use of.
struct Step {
    std::size_t action = 0;  ///< index of its weight
    unsigned moment_ms = 0;  ///< 0 to 49: when in the course of a handover
    unsigned choice = 0;     ///< which of several ways, of any number of them
};

/// An endless series of steps that depends on nothing but the seed and the weights, so that a walk
/// that went wrong can be gone again. The numbers are drawn whether the action uses them or not.
class Walk {
  public:
    /// An action whose weight is 0 is never drawn; the others in proportion.
    Walk(std::uint64_t seed, std::vector<unsigned> weights);

    [[nodiscard]] Step next();

  private:
    /// Not std::uniform_int_distribution, which is another one in every library.
    [[nodiscard]] unsigned below(unsigned end) { return static_cast<unsigned>(random_() % end); }

    std::mt19937_64 random_;
    std::vector<unsigned> weights_;
    unsigned all_weights_;
};

}  // namespace handover::test
