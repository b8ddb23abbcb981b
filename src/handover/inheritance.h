// SPDX-License-Identifier: MIT
#pragma once

#include "handover/channel.h"
#include "handover/inherited_fds.h"
#include "handover/ledger.h"
#include "handover/program.h"

#include <optional>
#include <string>
#include <vector>

namespace handover {

/// What an Origin finds: how this process was started and what it was given.
struct Inheritance {
    Program program;
    std::vector<InheritedFd> listeners;        ///< everything inherited but what follows
    std::vector<std::string> duplicate_names;  ///< see InheritedFds
    std::optional<Ledger> ledger;              ///< of the generations before, if it survived
    bool stale_ledgers = false;  ///< others came with it, older or unreadable; they are closed
    std::optional<Channel> predecessor;    ///< set if another generation started this one
    std::vector<Channel> stored_channels;  ///< connections of the generation before a restart
    bool unknown_channels = false;         ///< others came, too, and were closed
    std::vector<std::string> warnings;

    /// See Origin::discover() and take_inherited_fds(). Throws Error (config, os).
    [[nodiscard]] static Inheritance discover();
    /// See Origin::refuse().
    bool refuse(const std::string& reason) const;
};

}  // namespace handover
