// SPDX-License-Identifier: MIT
#pragma once

#include "handover/arrival_account.h"
#include "handover/channel.h"
#include "handover/service_group.h"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace handover {

/// The connections that a generation got from those before it, and what these said in the end.
/// Borrows the services. Not thread-safe.
class Arrivals {
  public:
    using Warn = std::function<void(const std::string&)>;

    /// Of a connection: is its listener configured no more?
    using IsLeaving = std::function<bool(const ParkedConnection&)>;

    Arrivals(
        ServiceGroup& services, Warn warn,
        IsLeaving is_leaving = [](const ParkedConnection&) { return false; })
        : services_(services), warn_(std::move(warn)), is_leaving_(std::move(is_leaving)) {}

    /// The generation that is on the other end of the link.
    void begin(std::uint64_t from, const std::string& how);
    /// `connections`, `end`; what else there is means nothing here.
    void take(Message message);
    void take_unreadable();
    /// Of a channel that comes out of the fd store: all that is in it. The services must have been
    /// told to accept.
    void take_all(const Channel& stored);

    [[nodiscard]] const ArrivalAccount& account() const { return account_; }

  private:
    ServiceGroup& services_;
    const Warn warn_;
    const IsLeaving is_leaving_;
    ArrivalAccount account_;
};

}  // namespace handover
