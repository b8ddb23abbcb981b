// SPDX-License-Identifier: MIT
#include "handover/listeners/listener_set.h"

#include "handover/base/would_accept.h"
#include "handover/listeners/bind_listener.h"

#include <poll.h>

#include <algorithm>
#include <utility>

namespace handover {
namespace {

/// How long the service manager may take to let go of a listener.
constexpr int retire_timeout_ms = 1000;

void warn_if(const std::optional<std::string>& complaint, const ListenerSet::Warn& warn) {
    if (complaint) warn(*complaint);
}

std::vector<const Listener*> pointers(const std::vector<Listener>& listeners) {
    std::vector<const Listener*> result;
    result.reserve(listeners.size());
    for (const auto& listener : listeners) result.push_back(&listener);
    return result;
}

}  // namespace

ListenerSet::ListenerSet(InheritedState& inheritance, const ServiceManager& manager)
    : manager_(manager),
      inherited_(std::move(inheritance.listeners)),
      duplicate_names_(std::move(inheritance.duplicate_names)),
      stored_channels_(std::move(inheritance.stored_channels)),
      channels_in_store_(!stored_channels_.empty() || inheritance.unknown_channels),
      from_predecessor_(inheritance.predecessor.has_value()),
      ledger_inherited_(inheritance.ledger.has_value() && !inheritance.stale_ledgers),
      ledger_(inheritance.ledger ? std::move(*inheritance.ledger) : Ledger()) {}

void ListenerSet::assemble(const std::vector<WantedListener>& wanted, const Warn& warn) {
    listeners_ = Listeners::assemble(std::exchange(inherited_, {}), wanted);
    for (const auto& warning : listeners_.warnings) warn(warning);
    for (const auto& dropped : listeners_.dropped) dropped_endpoints_.push_back(dropped.endpoint);
}

/// Of an address that was diverted to a listener (TPROXY) nothing can be told; such a connection
/// stays.
bool ListenerSet::has_dropped(const ParkedConnection& connection) const {
    if (dropped_endpoints_.empty()) return false;
    const auto local = Endpoint::of_socket(connection.fd.get());
    const auto accepts = [&](const Endpoint& endpoint) { return would_accept(endpoint, *local); };
    return local && std::any_of(dropped_endpoints_.begin(), dropped_endpoints_.end(), accepts) &&
           std::none_of(listeners_.active.begin(), listeners_.active.end(),
                        [&](const Listener& listener) { return accepts(listener.endpoint); });
}

/// Whoever hands a listener over, it looks the same; but what is in the fd store is ours.
std::string ListenerSet::source_of(const Listener& listener) const {
    if (!listener.inherited) return "bound";
    if (from_predecessor_) return "predecessor";
    return fd_store_.owns(listener) ? "fd store" : "socket unit";
}

/// Not before: should we die while reading, the rest is still there. Not later: as long as the
/// store has the channel, a connection in it that nobody reads is not closed.
void ListenerSet::forget_stored_channels() {
    if (std::exchange(channels_in_store_, false)) manager_.remove_fds(Channel::fd_name);
}

std::vector<PassedFd> ListenerSet::passed_fds() const {
    std::vector<PassedFd> fds;
    fds.reserve(listeners_.active.size() + 1);
    for (const auto& listener : listeners_.active)
        fds.push_back({listener.name, listener.fd.get()});
    fds.push_back({Ledger::fd_name, ledger_.fd()});
    return fds;
}

void ListenerSet::store(const Warn& warn) {
    const auto all = pointers(listeners_.active);
    auto came_back = all;
    for (const auto& dropped : listeners_.dropped) came_back.push_back(&dropped);
    warn_if(fd_store_.push_ledger(ledger_inherited_), warn);
    if (fd_store_.forget_missing(came_back) != 0)
        warn(
            "listeners that were in the fd store did not come back: it was emptied, or it was full "
            "(FileDescriptorStoreMax= in the unit)");
    for (const auto& listener : listeners_.active)
        if (!listener.inherited) warn_if(fd_store_.push(listener), warn);
    for (const auto& dropped : listeners_.dropped) {
        if (fd_store_.owns(dropped)) handover::refuse_new_connections(dropped);
        fd_store_.remove(dropped, all);
    }
    for (const auto& duplicate : duplicate_names_) fd_store_.remove_duplicate(duplicate, all);
    for (const auto& stranger : listeners_.strangers) fd_store_.remove_stranger(stranger);
}

std::vector<const Listener*> ListenerSet::own() const {
    std::vector<const Listener*> result;
    for (const auto* listeners : {&listeners_.active, &listeners_.dropped})
        for (const auto& listener : *listeners)
            if (fd_store_.owns(listener)) result.push_back(&listener);
    return result;
}

/// Not closed before the fd store has let go: as long as it holds a listener, whoever joins the
/// queue is reset in the end instead of refused.
void ListenerSet::retire() {
    refuse_new_connections();  // first: a successor that stops with us cannot see what is struck
                               // from the ledger
    for (const auto* listener : own()) fd_store_.remove(*listener, {});
    if (const auto barrier = manager_.barrier()) {
        pollfd hangup{barrier.get(), POLLIN, 0};
        ::poll(&hangup, 1, retire_timeout_ms);
    }
}

void ListenerSet::refuse_new_connections() const {
    for (const auto* listener : own()) handover::refuse_new_connections(*listener);
}

}  // namespace handover
