// SPDX-License-Identifier: MIT
#include "handover/listeners/fd_store.h"

#include "handover/base/descriptor.h"

#include <algorithm>

namespace handover {
namespace {

std::uint64_t cookie_of(const Listener& listener) {
    return Descriptor::examine(listener.fd.get()).cookie;
}

}  // namespace

/// The listeners, and the ledger itself.
std::size_t FdStore::wanted() const {
    return ledger_.own_count() + 1;
}

std::size_t FdStore::entries() const {
    if (!manager_.present()) return 0;
    const auto capacity = manager_.fd_store_capacity();
    return capacity ? std::min<std::size_t>(wanted(), *capacity) : wanted();
}

std::optional<std::string> FdStore::complaint(const std::string& name) const {
    const auto capacity = manager_.fd_store_capacity();
    if (!manager_.present() || !capacity || wanted() <= *capacity) return std::nullopt;
    return "the fd store takes " + std::to_string(*capacity) +
           " descriptors, which is too few to keep '" + name +
           "' over a restart or a crash: raise FileDescriptorStoreMax= in the unit";
}

std::optional<std::string> FdStore::push_ledger(bool inherited) {
    if (inherited || !manager_.present()) return std::nullopt;
    manager_.remove_fds(Ledger::fd_name);  // of one that could not be read, or was not the latest
    manager_.store_fd(ledger_.fd(), Ledger::fd_name);
    return complaint(Ledger::fd_name);
}

std::optional<std::string> FdStore::push(const Listener& listener) {
    if (!ledger_.enter_own(cookie_of(listener)))
        return "the ledger has no room for another listener: '" + listener.name + "' on " +
               listener.endpoint.to_string() + " is not kept in the fd store";
    manager_.store_fd(listener.fd.get(), listener.name);
    return complaint(listener.name);
}

bool FdStore::owns(const Listener& listener) const {
    return ledger_.is_own(cookie_of(listener));
}

void FdStore::remove(const Listener& listener, const std::vector<const Listener*>& others) {
    const auto cookie = cookie_of(listener);
    if (!ledger_.is_own(cookie)) return;
    ledger_.strike_own(cookie);
    remove_duplicate(listener.name, others);
}

void FdStore::remove_duplicate(const std::string& name,
                               const std::vector<const Listener*>& others) {
    manager_.remove_fds(name);
    for (const Listener* other : others)
        if (other->name == name && ledger_.is_own(cookie_of(*other)))
            manager_.store_fd(other->fd.get(), name);
}

std::size_t FdStore::forget_missing(const std::vector<const Listener*>& came_back) {
    std::vector<std::uint64_t> present;
    present.reserve(came_back.size());
    for (const Listener* listener : came_back) present.push_back(cookie_of(*listener));
    return ledger_.keep_own(present);
}

}  // namespace handover
