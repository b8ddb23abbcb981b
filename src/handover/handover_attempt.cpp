// SPDX-License-Identifier: MIT
#include "handover/handover_attempt.h"

#include <poll.h>

#include <csignal>

namespace handover {
HandoverAttempt::HandoverAttempt(EventLoop& loop, Callbacks callbacks)
    : loop_(loop), callbacks_(std::move(callbacks)), patience_(loop, [this] {
          fail("the successor (pid " + std::to_string(pid()) + ") was not ready within " +
               std::to_string(ready_timeout_.count()) + " ms");
      }) {}

HandoverAttempt::~HandoverAttempt() {
    if (channel_) loop_.forget(channel_->fd());
    if (successor_) loop_.forget(successor_->pidfd());
}

void HandoverAttempt::begin(const Program& program, std::vector<PassedFd> fds, const Message& hello,
                            std::chrono::milliseconds ready_timeout) {
    begun_ = std::chrono::steady_clock::now();
    ready_timeout_ = ready_timeout;
    auto [ours, theirs] = Channel::make_pair();
    (void)ours.send(hello);  // an empty socket buffer has room for it
    fds.push_back({Channel::fd_name, theirs.fd()});
    successor_.emplace(Successor::start(program, fds));
    channel_.emplace(std::move(ours));
    loop_.watch(channel_->fd(), [this] { on_channel(); });
    loop_.watch(successor_->pidfd(), [this] { on_ended(); });
    patience_.start_once(ready_timeout);
}

std::chrono::milliseconds HandoverAttempt::age() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 begun_);
}

void HandoverAttempt::on_channel() {
    Message message;
    switch (channel_->receive(message)) {
        case Channel::Received::message:
            return on_message(message);
        case Channel::Received::closed:
            // Not a verdict: the end of the process tells why, or the timeout that it lives on
            // without an idea of channels.
            return loop_.forget(channel_->fd());
        case Channel::Received::refused:
            return fail("the successor (pid " + std::to_string(pid()) +
                        ") sent what is not a message of this protocol");
        case Channel::Received::nothing:
            return;
    }
}

void HandoverAttempt::on_message(const Message& message) {
    switch (message.type) {
        case Message::Type::hello:
            peer_.protocol = message.number(Message::Tag::protocol);
            peer_.generation = message.number(Message::Tag::generation);
            peer_.version = message.field(Message::Tag::version);
            peer_.build_id = message.field(Message::Tag::build_id);
            return;
        case Message::Type::ready:
            if (verdict_ != Verdict::none) return;
            verdict_ = Verdict::ready;
            patience_.stop();
            return callbacks_.ready();
        case Message::Type::failed:
            return fail("the successor (pid " + std::to_string(pid()) +
                        ") refused to start: " + std::string(message.field(Message::Tag::reason)));
        case Message::Type::go:
        case Message::Type::connections:
        case Message::Type::end:
            return;  // ours to say
    }
}

void HandoverAttempt::on_ended() {
    pollfd ended{successor_->pidfd(), POLLIN, 0};
    if (::poll(&ended, 1, 0) != 1) return;
    loop_.forget(successor_->pidfd());
    const auto lived = age();
    // Its last words may still be in the channel, and tell more than the way it ended.
    Message message;
    while (verdict_ == Verdict::none && channel_ &&
           channel_->receive(message) == Channel::Received::message)
        on_message(message);
    fail("the successor (pid " + std::to_string(pid()) + ") " + successor_->how_it_ended() +
         " after " + std::to_string(lived.count()) + " ms" +
         (verdict_ == Verdict::ready ? "" : ", before it was ready"));
}

void HandoverAttempt::fail(const std::string& reason) {
    if (verdict_ == Verdict::failed) return;
    verdict_ = Verdict::failed;
    patience_.stop();
    callbacks_.failed(reason);
}

void HandoverAttempt::release() {
    if (successor_) successor_->release();
}

bool HandoverAttempt::say_go() const {
    return channel_ && channel_->send(Message::of(Message::Type::go)) == Channel::Sent::sent;
}

Channel HandoverAttempt::take_channel() {
    loop_.forget(channel_->fd());
    Channel channel = std::move(*channel_);
    channel_.reset();
    return channel;
}

void HandoverAttempt::kill() {
    if (successor_) successor_->signal(SIGKILL);
}

}  // namespace handover
