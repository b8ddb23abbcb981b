// SPDX-License-Identifier: MIT
#include "handover/peer/successor_link.h"

#include <poll.h>

#include <utility>

namespace handover {
namespace {

constexpr std::chrono::milliseconds retry_interval{5};
/// As many packets of others are passed over at a time; then something else gets its turn.
constexpr int unknown_most = 64;

}  // namespace

SuccessorLink::SuccessorLink(EventLoop& loop, Callbacks callbacks)
    : loop_(loop),
      callbacks_(std::move(callbacks)),
      timeout_(loop,
               [this] {
                   fail("the successor (pid " + std::to_string(pid()) + ") " +
                        (healthy_ ? "did not say that it is well" : "was not ready") + " within " +
                        std::to_string(ready_timeout_.count()) + " ms");
               }),
      room_(loop, [this] { told_ ? say_promoted(std::exchange(told_, nullptr)) : ask(); }) {}

SuccessorLink::~SuccessorLink() {
    if (channel_) loop_.forget(channel_->fd());
    if (process_) loop_.forget(process_->pidfd());
}

void SuccessorLink::begin(const Program& program, std::vector<PassedFd> fds, const Message& hello,
                          std::chrono::milliseconds ready_timeout) {
    begun_ = std::chrono::steady_clock::now();
    ready_timeout_ = ready_timeout;
    auto [ours, theirs] = Channel::make_pair();
    ours.note_senders();
    (void)ours.send(hello);  // an empty socket buffer has room for it
    auto for_connections = ours.duplicate();
    fds.push_back({Channel::fd_name, theirs.fd()});
    process_.emplace(SuccessorProcess::start(program, fds));
    channel_.emplace(std::move(ours));
    for_connections_.emplace(std::move(for_connections));
    its_end_.emplace(std::move(theirs));
    loop_.watch(channel_->fd(), [this] { on_channel(); });
    loop_.watch(process_->pidfd(), [this] { on_ended(); });
    timeout_.start_once(ready_timeout);
}

std::chrono::milliseconds SuccessorLink::age() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 begun_);
}

/// The successor may have given its end to others, as what it has started: they do not speak for
/// it. It may have been another program at first, as a script that execs ours keeps its pid.
Channel::Received SuccessorLink::receive(Message& message) const {
    for (int unknown = 0; unknown < unknown_most; ++unknown) {
        pid_t sender = 0;
        const auto received = channel_->receive(message, sender);
        if (sender == 0 || sender == process_->pid()) return received;
        message = {};
    }
    return Channel::Received::nothing;
}

void SuccessorLink::on_channel() {
    Message message;
    switch (receive(message)) {
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

void SuccessorLink::on_message(const Message& message) {
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
            timeout_.stop();
            return callbacks_.on_ready();
        case Message::Type::failed:
            return fail("the successor (pid " + std::to_string(pid()) +
                        ") refused to start: " + std::string(message.field(Message::Tag::reason)));
        case Message::Type::promote_me:
            return callbacks_.on_promotion_wanted();
        case Message::Type::stopping:
            return callbacks_.on_stopping();
        case Message::Type::restarting:
            return callbacks_.on_restarting();
        case Message::Type::healthy:
            timeout_.stop();
            if (const auto healthy = std::exchange(healthy_, nullptr)) healthy();
            return;
        case Message::Type::drain_quota:
            return callbacks_.on_drain_quota(message.number(Message::Tag::count));
        case Message::Type::go:
        case Message::Type::connections:
        case Message::Type::end:
        case Message::Type::promoted:
        case Message::Type::health_check:
            return;  // ours to say
    }
}

bool SuccessorLink::has_ended() const {
    if (!process_) return true;
    pollfd ended{process_->pidfd(), POLLIN, 0};
    return ::poll(&ended, 1, 0) == 1;
}

void SuccessorLink::on_ended() {
    if (!has_ended()) return;
    loop_.forget(process_->pidfd());
    const auto lived = age();
    // Its last words may still be in the channel, and tell more than the way it ended.
    read_all();
    fail("the successor (pid " + std::to_string(pid()) + ") " + process_->how_it_ended() +
         " after " + std::to_string(lived.count()) + " ms" +
         (verdict_ == Verdict::ready ? "" : ", before it was ready"));
}

void SuccessorLink::read_all() {
    Message message;
    while (channel_ && receive(message) == Channel::Received::message) on_message(message);
}

void SuccessorLink::fail(const std::string& reason) {
    if (verdict_ == Verdict::failed) return;
    verdict_ = Verdict::failed;
    healthy_ = nullptr;
    timeout_.stop();
    callbacks_.on_failed(reason);
}

void SuccessorLink::release() {
    if (process_) process_->release();
}

void SuccessorLink::detach() {
    release();
    its_end_.reset();
    timeout_.stop();
    healthy_ = nullptr;
}

void SuccessorLink::close() {
    verdict_ = Verdict::failed;
    if (channel_) loop_.forget(channel_->fd());
    if (process_) loop_.forget(process_->pidfd());
    channel_.reset();
    timeout_.stop();
    room_.stop();
    healthy_ = nullptr;
    told_ = nullptr;
}

void SuccessorLink::say_go() const {
    (void)channel_->send(Message::of(Message::Type::go));  // nothing is in the way yet
}

std::vector<Message> SuccessorLink::take_unread() {
    std::vector<Message> unread;
    Message message;
    while (its_end_ && its_end_->receive(message) == Channel::Received::message)
        unread.push_back(std::move(message));
    its_end_.reset();
    return unread;
}

void SuccessorLink::check_health(std::function<void()> healthy) {
    healthy_ = std::move(healthy);
    timeout_.start_once(ready_timeout_);
    ask();
}

void SuccessorLink::ask() {
    if (!healthy_) return;
    if (channel_->send(Message::of(Message::Type::health_check)) != Channel::Sent::sent)
        room_.start_once(retry_interval);
}

/// The channel may be full of connections, which the successor is reading at this moment.
void SuccessorLink::say_promoted(std::function<void()> told) {
    if (has_ended()) return;  // we hold its end of the channel, too: that would take the message
    switch (channel_->send(Message::of(Message::Type::promoted))) {
        case Channel::Sent::sent:
            return told();  // at once: from here on it may act as the main process
        case Channel::Sent::full:
        case Channel::Sent::limit:
            told_ = std::move(told);
            return room_.start_once(retry_interval);
        case Channel::Sent::closed:
            return;  // its pidfd tells the rest
    }
}

void SuccessorLink::signal(int number) const {
    if (process_) process_->signal(number);
}

}  // namespace handover
