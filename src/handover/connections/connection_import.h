// SPDX-License-Identifier: MIT
#pragma once

#include "handover/connection_counts.h"
#include "handover/connections/service_group.h"
#include "handover/peer/channel.h"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace handover {

/// The connections that a generation got from those before it, and what these said in the end.
/// Borrows the services, which must outlive it. Not thread-safe. Its mirror image, in the
/// generation before, is ConnectionExport.
class ConnectionImport {
  public:
    /// Gets a sentence for the log.
    using Warn = std::function<void(const std::string&)>;

    /// Is the listener that the connection came from configured no more? Then the connection ends
    /// with its next response.
    using IsDetached = std::function<bool(const ParkedConnection&)>;

    ConnectionImport(
        ServiceGroup& services, Warn warn,
        IsDetached is_detached = [](const ParkedConnection&) { return false; })
        : services_(services), warn_(std::move(warn)), is_detached_(std::move(is_detached)) {}

    /// They come from the generation with this number, by a "reload" or a "restart".
    void begin(std::uint64_t from, const std::string& how);
    /// Adopts what is in a message `connections`, and the account in a message `end`; others mean
    /// nothing here.
    void take(Message message);
    /// Counts a message that cannot be read; what was in it is closed.
    void take_unreadable();
    /// Takes all messages that are in a channel out of the fd store. The services must have been
    /// told to accept.
    void take_all(const Channel& stored);

    /// What has come so far, and what the generation before says about all it held.
    [[nodiscard]] const ImportedConnections& account() const { return account_; }

  private:
    ServiceGroup& services_;
    const Warn warn_;
    const IsDetached is_detached_;
    ImportedConnections account_;
};

}  // namespace handover
