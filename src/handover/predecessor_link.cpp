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
    (void)channel_.send(hello);  // should it be gone, the loop will see that
    loop_.watch(channel_.fd(), [this] { on_channel(); });
}

void PredecessorLink::say_ready() const {
    Message ready;
    ready.type = Message::Type::ready;
    (void)channel_.send(ready);
}

void PredecessorLink::refuse(const std::string& reason) const {
    Message failed;
    failed.type = Message::Type::failed;
    failed.fields.emplace_back(Message::Tag::reason, reason);
    (void)channel_.send(failed);  // if it does not get through, the exit status has to do
}

void PredecessorLink::on_channel() {
    Message message;
    switch (channel_.receive(message)) {
        case Channel::Received::nothing:
            return;
        case Channel::Received::message:
            if (message.type != Message::Type::go) return;
            loop_.forget(channel_.fd());
            return callbacks_.go();
        case Channel::Received::closed:
        case Channel::Received::refused:
            loop_.forget(channel_.fd());
            return callbacks_.lost();
    }
}

}  // namespace handover
