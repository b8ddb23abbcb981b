// SPDX-License-Identifier: MIT
#include "handover/connections/stored_channels.h"

#include "handover/error.h"

#include <utility>

namespace handover {

StoredChannels::StoredChannels(EventLoop& loop, const ServiceManager& manager, const Message& hello)
    : manager_(manager), hello_{hello.type, hello.fields, {}}, barrier_(loop, manager) {
    hello_.fields.emplace_back(Message::Tag::stored, "1");
}

void StoredChannels::open(Opened opened) {
    opened_ = std::move(opened);
    try {
        auto [ours, theirs] = Channel::make_pair();
        (void)ours.send(hello_);  // an empty socket buffer has room for it
        // Not watched: it hangs up when we exit, and has to stay for the next generation.
        manager_.store_fd(theirs.fd(), Channel::fd_name, ServiceManager::Watched::no);
        ours_.emplace(std::move(ours));
        theirs_.emplace(std::move(theirs));
    } catch (const Error&) {  // no descriptors left
    }
    // systemd (254 and newer) closes what it does not take in a process beside it, and so the
    // descriptor of the barrier: it may overtake. A second one leaves that process time enough.
    barrier_.begin([this](NotifyBarrier::Outcome outcome) {
        if (outcome != NotifyBarrier::Outcome::processed) return conclude(outcome);
        barrier_.begin([this](NotifyBarrier::Outcome second) { conclude(second); });
    });
}

void StoredChannels::conclude(NotifyBarrier::Outcome outcome) {
    theirs_.reset();
    auto channel = std::exchange(ours_, std::nullopt);
    if (outcome != NotifyBarrier::Outcome::processed || (channel && channel->hung_up()))
        channel.reset();
    std::exchange(opened_, {})(std::move(channel));
}

}  // namespace handover
