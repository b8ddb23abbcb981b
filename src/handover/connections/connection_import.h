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
/// Borrows the services. Not thread-safe.
class ConnectionImport {
  public:
    using Warn = std::function<void(const std::string&)>;

    /// Of a connection: is its listener configured no more?
    using IsDetached = std::function<bool(const ParkedConnection&)>;

    ConnectionImport(
        ServiceGroup& services, Warn warn,
        IsDetached is_detached = [](const ParkedConnection&) { return false; })
        : services_(services), warn_(std::move(warn)), is_detached_(std::move(is_detached)) {}

    /// The generation that is on the other end of the link.
    void begin(std::uint64_t from, const std::string& how);
    /// `connections`, `end`; what else there is means nothing here.
    void take(Message message);
    void take_unreadable();
    /// Of a channel that comes out of the fd store: all that is in it. The services must have been
    /// told to accept.
    void take_all(const Channel& stored);

    [[nodiscard]] const ImportedConnections& account() const { return account_; }

  private:
    ServiceGroup& services_;
    const Warn warn_;
    const IsDetached is_detached_;
    ImportedConnections account_;
};

}  // namespace handover
