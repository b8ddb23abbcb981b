// SPDX-License-Identifier: MIT
#pragma once

#include "handover/ledger/ledger.h"
#include "handover/peer/channel.h"
#include "handover/peer/program.h"
#include "handover/systemd/listen_fds.h"

#include <optional>
#include <string>
#include <vector>

namespace handover {

class Inheritance;

/// What an Inheritance finds: how this process was started and what it was given.
struct InheritedState {
    Program program;
    std::vector<InheritedFd> listeners;        ///< everything inherited but what follows
    std::vector<std::string> duplicate_names;  ///< see InheritedFds
    std::optional<Ledger> ledger;              ///< of the generations before, if it survived
    bool stale_ledgers = false;  ///< others came with it, older or unreadable; they are closed
    std::optional<Channel> predecessor;    ///< set if another generation started this one
    std::vector<Channel> stored_channels;  ///< connections of the generation before a restart
    bool unknown_channels = false;         ///< others came, too, and were closed
    std::vector<std::string> warnings;

    /// See Inheritance::discover() and take_inherited_fds(). Throws Error (config, os).
    [[nodiscard]] static InheritedState discover();
    /// See Inheritance::refuse().
    bool refuse(const std::string& reason) const;
    /// What a Generation takes. Moves all out of this one.
    [[nodiscard]] Inheritance to_inheritance() &&;
};

}  // namespace handover
