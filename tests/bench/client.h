// SPDX-License-Identifier: MIT
#pragma once

#include "support/container.h"
#include "support/counting_client.h"

#include <cstddef>
#include <string>
#include <vector>

namespace handover::bench {

// The clients of tests/support in a container's network, on the cores that the server leaves free.

[[nodiscard]] test::Load start_load(const test::Container& container,
                                    const std::vector<std::string>& options);

/// Asks once in a millisecond, whether the server listens already or not.
[[nodiscard]] test::Load start_asking(const test::Container& container);

/// Connections that stand idle; the server has answered each of them once.
[[nodiscard]] test::IdleConnections start_idle(const test::Container& container, std::size_t count);

}  // namespace handover::bench
