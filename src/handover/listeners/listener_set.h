// SPDX-License-Identifier: MIT
#pragma once

#include "handover/ledger/ledger.h"
#include "handover/listeners/fd_store.h"
#include "handover/listeners/inherited_state.h"
#include "handover/listeners/listeners.h"
#include "handover/parked_connection.h"
#include "handover/peer/successor_process.h"
#include "handover/systemd/service_manager.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace handover {

/// What a generation holds and passes on: its listeners and the ledger, and their copies in the fd
/// store. Borrows the service manager. Not thread-safe.
class ListenerSet {
  public:
    /// Each is a sentence for the operator.
    using Warn = std::function<void(const std::string&)>;

    /// Takes what was inherited; adopts none of it yet.
    ListenerSet(InheritedState& inheritance, const ServiceManager& manager);

    /// Adopts what is wanted and binds what is missing. Throws Error, see Listeners::assemble.
    void assemble(const std::vector<WantedListener>& wanted, const Warn& warn);
    [[nodiscard]] const std::vector<Listener>& listeners() const { return listeners_.active; }
    /// Those that are not wanted any more, until close_dropped().
    [[nodiscard]] const std::vector<Listener>& dropped() const { return listeners_.dropped; }
    [[nodiscard]] Ledger& ledger() { return ledger_; }
    [[nodiscard]] const Ledger& ledger() const { return ledger_; }
    /// Where it came from: "socket unit", "fd store", "predecessor", or "bound" by itself.
    [[nodiscard]] std::string source_of(const Listener& listener) const;
    /// How many of them are in the fd store while the service runs. Thread-safe.
    [[nodiscard]] std::size_t fd_store_entries() const { return fd_store_.entries(); }
    /// The connections that waited in the fd store, for the caller to read. Once.
    [[nodiscard]] std::vector<Channel> take_stored_channels() {
        return std::exchange(stored_channels_, {});
    }
    /// They have been read: takes them out of the fd store.
    void forget_stored_channels();
    /// Everything a successor gets, borrowed.
    [[nodiscard]] std::vector<PassedFd> passed_fds() const;

    /// Brings the fd store in line: the ledger and what this generation bound go in; what is not
    /// wanted, came twice or means nothing goes out. Only the main process is listened to. Nobody
    /// joins the queues of dropped() any more, if they are the service's own.
    void store(const Warn& warn);
    /// Did this connection come from one of them, at an address where nobody listens any more? Also
    /// after close_dropped().
    [[nodiscard]] bool has_dropped(const ParkedConnection& connection) const;
    /// When what was in their queues has been accepted.
    void close_dropped() { listeners_.dropped.clear(); }

    /// The service ends, and `listeners()` with it: takes them out of the fd store and lets nobody
    /// join their queues any more, so that what is queued can be accepted before release(). Blocks
    /// until the service manager has let go, one second at most. Those that a .socket unit holds
    /// are left alone.
    void retire();
    /// The part of that which is not the main process's alone: from now on nobody joins the queues
    /// of the service's own listeners, in any process.
    void refuse_new_connections() const;
    /// Closes our descriptors of the listeners; whoever else holds them keeps them.
    void release() {
        listeners_.active.clear();
        close_dropped();
    }

  private:
    [[nodiscard]] std::vector<const Listener*> own() const;

    const ServiceManager& manager_;
    std::vector<InheritedFd> inherited_;
    std::vector<std::string> duplicate_names_;
    std::vector<Channel> stored_channels_;
    bool channels_in_store_;
    const bool from_predecessor_;
    const bool ledger_inherited_;
    Ledger ledger_;
    FdStore fd_store_{manager_, ledger_};
    Listeners listeners_;
    std::vector<Endpoint> dropped_endpoints_;
};

}  // namespace handover
