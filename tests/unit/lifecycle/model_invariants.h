// SPDX-License-Identifier: MIT
#pragma once

#include "unit/lifecycle/model.h"

#include <span>
#include <string_view>

namespace handover::test::model {

/// What holds in every world, or in every world that was left alone until nothing happens any more.
struct Invariant {
    std::string_view name;
    enum class When : std::uint8_t { always, at_rest } when;
    bool (*holds)(const World& world);
};

[[nodiscard]] std::span<const Invariant> invariants();

/// Its name, of the first that does not hold; empty if all do.
[[nodiscard]] std::string_view violated(const World& world, Invariant::When when);

}  // namespace handover::test::model
