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

/// Where this process comes from: how it was started and what it was given. The first thing in
/// main(), before threads, options or anything else that may change or fail.
struct Origin {
    Program program;
    std::vector<InheritedFd> listeners;        ///< everything inherited but what follows
    std::vector<std::string> duplicate_names;  ///< see InheritedFds
    std::optional<Ledger> ledger;              ///< of the generations before, if it survived
    bool stale_ledgers = false;  ///< others came with it, older or unreadable; they are closed
    std::optional<Channel> predecessor;    ///< set if another generation started this one
    std::vector<Channel> stored_channels;  ///< connections of the generation before a restart
    bool unknown_channels = false;         ///< others came, too, and were closed
    std::vector<std::string> warnings;

    /// Takes the descriptors and the LISTEN_* variables away from the process (see
    /// take_inherited_fds). Blocks the signals that ask for a handover or a restart in the calling
    /// thread, so that one that comes too early is not lost and does not kill. Raises the soft
    /// RLIMIT_NOFILE to the hard one.
    /// Throws Error (config, os).
    [[nodiscard]] static Origin discover();

    /// Tells a predecessor, if there is one, why this generation does not start. It reports that
    /// to whoever asked for the handover; otherwise all it could say is "exited with status 78".
    void refuse(const std::string& reason) const;
};

}  // namespace handover
