// SPDX-License-Identifier: MIT
#include "handover/listeners/inherited_state.h"

#include "handover/error.h"
#include "handover/inheritance.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <utility>

namespace handover {
namespace {

/// Where there is no limit at all, programs that close "all" descriptors would take for ever.
constexpr rlim_t descriptors_most = 1U << 20U;
/// Room for these costs the kernel 8 bytes each.
constexpr rlim_t descriptors_at_once = 1U << 14U;

void block_requests() {
    sigset_t requests;
    ::sigemptyset(&requests);
    for (const int number : {SIGHUP, SIGUSR1, SIGUSR2}) ::sigaddset(&requests, number);
    ::pthread_sigmask(SIG_BLOCK, &requests, nullptr);
}

/// There should be one. Of several, the one of the latest generation is right.
void take_ledger(InheritedState& inheritance, InheritedFd inherited) {
    auto ledger = Ledger::adopt(std::move(inherited.fd));
    if (!ledger)
        inheritance.warnings.push_back("an inherited 'ledger' is " + inherited.what.description +
                                       " that this version cannot read: closed");
    inheritance.stale_ledgers = inheritance.stale_ledgers || !ledger || inheritance.ledger;
    if (ledger &&
        (!inheritance.ledger || ledger->last_generation() > inheritance.ledger->last_generation()))
        inheritance.ledger = std::move(ledger);
}

/// A live predecessor, or connections that waited in the fd store.
void take_channel(InheritedState& inheritance, InheritedFd inherited) {
    if (inherited.what.kind != Descriptor::Kind::seqpacket) {
        inheritance.warnings.push_back("an inherited 'channel' is " + inherited.what.description +
                                       ": closed");
        inheritance.unknown_channels = true;
        return;
    }
    Channel channel(std::move(inherited.fd));
    if (channel.is_stored()) {
        set_nonblock(channel.fd());
        inheritance.stored_channels.push_back(std::move(channel));
    } else if (!inheritance.predecessor && !channel.is_abandoned()) {
        set_nonblock(channel.fd());
        inheritance.predecessor.emplace(std::move(channel));
    } else {
        inheritance.warnings.emplace_back(
            "an inherited 'channel' holds nothing that this version can read: closed");
        inheritance.unknown_channels = true;
    }
}

/// Connections in flight between two generations count against the limit of whoever sends them.
/// Returns what the limit is then.
rlim_t raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = std::min(limit.rlim_max, descriptors_most);
    return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

/// The kernel doubles a table that threads share only after every processor has been elsewhere
/// (synchronize_rcu), some ten milliseconds each time: thousands of connections that arrive at once
/// would wait for that again and again. As long as we are one thread it costs nothing.
void enlarge_descriptor_table(rlim_t limit) {
    const UniqueFd any(::eventfd(0, EFD_CLOEXEC));
    const auto highest = static_cast<int>(std::min(limit, descriptors_at_once)) - 1;
    const UniqueFd far_out(::fcntl(any.get(), F_DUPFD_CLOEXEC, highest));
}

}  // namespace

InheritedState InheritedState::discover() {
    InheritedState inheritance;
    inheritance.program = Program::remember();
    block_requests();
    enlarge_descriptor_table(raise_descriptor_limit());
    auto inherited = take_inherited_fds();
    inheritance.duplicate_names = std::move(inherited.duplicate_names);
    for (auto& one : inherited.fds) {
        if (one.name == Channel::fd_name) {
            take_channel(inheritance, std::move(one));
        } else if (one.name == Ledger::fd_name) {
            take_ledger(inheritance, std::move(one));
        } else {
            inheritance.listeners.push_back(std::move(one));
        }
    }
    return inheritance;
}

bool InheritedState::refuse(const std::string& reason) const {
    // If it does not get through, the exit status has to do.
    return predecessor && predecessor->send(Message::failed(reason)) == Channel::Sent::sent;
}

Inheritance InheritedState::to_inheritance() && {
    return Inheritance(std::move(*this));
}

}  // namespace handover
