// SPDX-License-Identifier: MIT
#pragma once

#include "handover/endpoint.h"

#include <sys/types.h>

#include <optional>
#include <string>

namespace handover {

/// A listener that the configuration asks for.
struct WantedListener {
    std::string name;
    Endpoint endpoint;
    /// The endpoint is only a default: whatever is inherited under this name will do, at any
    /// address and however many, and binding happens only if nothing is. Where the kernel has no
    /// IPv6, [::] falls back to 0.0.0.0.
    bool default_only = false;
    /// Of a unix path, set before anybody can connect. nullopt: as the umask has it.
    std::optional<mode_t> unix_mode = std::nullopt;
};

}  // namespace handover
