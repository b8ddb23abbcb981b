// SPDX-License-Identifier: MIT
#pragma once

#include "handover/ledger/ledger.h"
#include "handover/listener.h"
#include "handover/systemd/service_manager.h"

#include <optional>
#include <string>
#include <vector>

namespace handover {

/// Our part of systemd's fd store: listeners that this service bound itself, and its ledger.
///
/// What came from a .socket unit is held by systemd anyway and is never pushed. The ledger knows
/// which is which (by socket cookie), also after a crash. systemd never answers a push, so what can
/// be known about failure is: $FDSTORE says the capacity from systemd 254 on; before, only what
/// does not come back at the next start does. Borrows both objects. Not thread-safe.
class FdStore {
  public:
    FdStore(const ServiceManager& manager, Ledger& ledger) : manager_(manager), ledger_(ledger) {}

    /// Pushes the ledger, unless it was `inherited` (then it is there already).
    /// Each push returns a complaint for the operator if the store is known to be full or absent.
    [[nodiscard]] std::optional<std::string> push_ledger(bool inherited);
    /// Pushes a listener that this generation bound. Right after listen(), so that from then on a
    /// crash at any time keeps the listener and its queue.
    [[nodiscard]] std::optional<std::string> push(const Listener& listener);

    /// Did this service bind it, now or in an earlier generation? Otherwise a .socket unit holds
    /// it.
    [[nodiscard]] bool owns(const Listener& listener) const;

    /// Removes `listener` from the store, if it is there. The store only knows names, so listeners
    /// of the same name leave it too, and those in `others` that belong there are pushed again.
    void remove(const Listener& listener, const std::vector<const Listener*>& others);
    /// Removes the duplicate of a .socket unit's listener that was stored under `name`, with the
    /// same care for others of the name.
    void remove_duplicate(const std::string& name, const std::vector<const Listener*>& others);
    /// Removes every entry of a name that means nothing to this version.
    void remove_stranger(const std::string& name) { manager_.remove_fds(name); }

    /// How many descriptors it holds, as far as can be known. Thread-safe.
    [[nodiscard]] std::size_t entries() const;

    /// How many listeners the ledger remembers in the store that did not come back, given those
    /// that did. Forgets them. Zero unless the store was full or has been emptied.
    [[nodiscard]] std::size_t forget_missing(const std::vector<const Listener*>& came_back);

  private:
    [[nodiscard]] std::size_t wanted() const;
    [[nodiscard]] std::optional<std::string> complaint(const std::string& name) const;

    const ServiceManager& manager_;
    Ledger& ledger_;
};

}  // namespace handover
