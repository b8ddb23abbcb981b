// SPDX-License-Identifier: MIT
#include "handover/stored_channels.h"

#include "handover/error.h"

#include <chrono>
#include <utility>

namespace handover {
namespace {

constexpr std::chrono::seconds manager_patience{5};

}  // namespace

StoredChannels::StoredChannels(EventLoop& loop, const ServiceManager& manager, const Message& hello)
    : loop_(loop), manager_(manager), hello_{hello.type, hello.fields, {}}, patience_(loop, [this] {
          conclude(false);
      }) {
    hello_.fields.emplace_back(Message::Tag::stored, "1");
}

StoredChannels::~StoredChannels() {
    loop_.forget(barrier_.get());
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
        barrier_ = manager_.barrier();
    } catch (const Error&) {  // no descriptors left
    }
    if (!barrier_) return loop_.post([opened = std::exchange(opened_, {})] { opened({}); });
    loop_.watch(barrier_.get(), [this] { conclude(true); });
    patience_.start_once(manager_patience);
}

void StoredChannels::conclude(bool in_time) {
    patience_.stop();
    loop_.forget(barrier_.get());
    barrier_.reset();
    theirs_.reset();
    auto channel = std::exchange(ours_, std::nullopt);
    if (!in_time || channel->hung_up()) channel.reset();
    std::exchange(opened_, {})(std::move(channel));
}

}  // namespace handover
