// SPDX-License-Identifier: MIT
#include "handover/predecessor_link.h"

#include "handover/error.h"

#include <utility>

namespace handover {

PredecessorLink::PredecessorLink(EventLoop& loop, Channel channel, Callbacks callbacks)
    : loop_(loop), channel_(std::move(channel)), callbacks_(std::move(callbacks)) {}

PredecessorLink::~PredecessorLink() {
    loop_.forget(channel_.fd());
}

void PredecessorLink::greet(const Message& hello) {
    Message its_hello;
    if (channel_.receive(its_hello) != Channel::Received::message ||
        its_hello.type != Message::Type::hello)
        throw Error(Error::Kind::config,
                    "the inherited 'channel' does not begin with a hello: it comes from no "
                    "generation that this version can take over from");
    generation_ = its_hello.number(Message::Tag::generation);
    (void)channel_.send(hello);  // should it be gone, the loop will see that
    loop_.watch(channel_.fd(), [this] { on_channel(); });
}

void PredecessorLink::say_ready() const {
    (void)channel_.send(Message::of(Message::Type::ready));
}

void PredecessorLink::refuse(const std::string& reason) const {
    // If it does not get through, the exit status has to do.
    (void)channel_.send(Message::failed(reason));
}

void PredecessorLink::read_all() {
    while (!gone_ && on_channel()) continue;
}

/// False if nothing was there.
bool PredecessorLink::on_channel() {
    Message message;
    switch (channel_.receive(message)) {
        case Channel::Received::nothing:
            return false;
        case Channel::Received::message:
            on_message(std::move(message));
            return true;
        case Channel::Received::closed:
            on_gone();
            return true;
        case Channel::Received::refused:
            if (going_)
                callbacks_.unreadable();
            else
                on_gone();
            return true;
    }
    __builtin_unreachable();
}

void PredecessorLink::on_message(Message message) {
    if (!going_) {
        if (message.type != Message::Type::go) return;
        going_ = true;
        return callbacks_.go();
    }
    const bool last = message.type == Message::Type::end;
    callbacks_.arrived(std::move(message));
    if (last) on_gone();
}

void PredecessorLink::on_gone() {
    gone_ = true;
    loop_.forget(channel_.fd());
    return going_ ? callbacks_.ended() : callbacks_.lost();
}

}  // namespace handover
