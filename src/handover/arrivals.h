// SPDX-License-Identifier: MIT
#pragma once

#include "handover/channel.h"
#include "handover/service_group.h"
#include "handover/tally.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace handover {

/// The connections that a generation got from those before it, and what these said in the end.
/// Borrows the services. Not thread-safe.
class Arrivals {
  public:
    struct Account {
        std::uint64_t from = 0;     ///< number of the generation they come from
        std::string how;            ///< "reload", "restart"; empty: nothing has come
        std::uint64_t adopted = 0;  ///< went on here
        std::uint64_t unclaimed =
            0;  ///< closed politely: their listener is not configured any more
        std::uint64_t unreadable =
            0;                       ///< messages that this version cannot read; all in them closed
        std::optional<Tally> ended;  ///< what became of all that it held, once it has said so
    };
    using Warn = std::function<void(const std::string&)>;

    Arrivals(ServiceGroup& services, Warn warn) : services_(services), warn_(std::move(warn)) {}

    /// The generation that is on the other end of the link.
    void begin(std::uint64_t from, const std::string& how);
    /// `connections`, `end`; what else there is means nothing here.
    void take(Message message);
    void take_unreadable();
    /// Of a channel that comes out of the fd store: all that is in it. The services must have been
    /// told to accept.
    void take_all(const Channel& stored);

    [[nodiscard]] const Account& account() const { return account_; }

  private:
    ServiceGroup& services_;
    const Warn warn_;
    Account account_;
};

}  // namespace handover
