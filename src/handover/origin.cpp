// SPDX-License-Identifier: MIT
#include "handover/origin.h"

#include "handover/error.h"

#include <csignal>

namespace handover {
namespace {

void block_requests() {
    sigset_t requests;
    ::sigemptyset(&requests);
    for (const int number : {SIGHUP, SIGUSR1, SIGUSR2}) ::sigaddset(&requests, number);
    ::pthread_sigmask(SIG_BLOCK, &requests, nullptr);
}

/// There should be one. Of several, the one of the latest generation is right.
void take_ledger(Origin& origin, InheritedFd inherited) {
    auto ledger = Ledger::adopt(std::move(inherited.fd));
    if (!ledger)
        origin.warnings.push_back("an inherited 'ledger' is " + inherited.what.description +
                                  " that this version cannot read: closed");
    origin.stale_ledgers = origin.stale_ledgers || !ledger || origin.ledger;
    if (ledger && (!origin.ledger || ledger->last_generation() > origin.ledger->last_generation()))
        origin.ledger = std::move(ledger);
}

}  // namespace

Origin Origin::discover() {
    Origin origin;
    origin.program = Program::remember();
    block_requests();
    auto inherited = take_inherited_fds();
    origin.duplicate_names = std::move(inherited.duplicate_names);
    for (auto& one : inherited.fds) {
        if (one.name == Channel::fd_name && one.what.kind == Descriptor::Kind::seqpacket &&
            !origin.predecessor) {
            origin.predecessor.emplace(std::move(one.fd));
        } else if (one.name == Ledger::fd_name) {
            take_ledger(origin, std::move(one));
        } else {
            origin.listeners.push_back(std::move(one));
        }
    }
    return origin;
}

void Origin::refuse(const std::string& reason) const {
    if (!predecessor) return;
    Message message;
    message.type = Message::Type::failed;
    message.fields.emplace_back(Message::Tag::reason, reason);
    // If it does not get through, the exit status has to do.
    (void)predecessor->send(message);
}

}  // namespace handover
