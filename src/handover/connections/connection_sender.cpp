// SPDX-License-Identifier: MIT
#include "handover/connections/connection_sender.h"

#include "handover/connections/connection_message.h"

#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

namespace handover {
namespace {

/// A reader that is at work makes room for descriptors in flight, but nobody tells us.
constexpr std::chrono::milliseconds retry_after{5};

}  // namespace

/// Where other threads put connections down. Outlives the sender as long as anybody holds it.
struct ConnectionSender::Inbox {
    std::mutex mutex;  ///< guards all; `owner` is set and cleared on the loop's thread
    std::vector<ParkedConnection> connections;
    ConnectionSender* owner = nullptr;

    static void put(const std::shared_ptr<Inbox>& inbox, ParkedConnection connection) {
        const std::lock_guard lock(inbox->mutex);
        if (inbox->owner == nullptr) return;
        inbox->connections.push_back(std::move(connection));
        if (inbox->connections.size() > 1) return;  // it has been told already
        inbox->owner->loop_.post([inbox] {
            if (inbox->owner != nullptr) inbox->owner->flush();
        });
    }
};

ConnectionSender::ConnectionSender(EventLoop& loop, Callbacks callbacks)
    : loop_(loop),
      callbacks_(std::move(callbacks)),
      inbox_(std::make_shared<Inbox>()),
      retry_(loop, [this] { flush(); }) {
    inbox_->owner = this;
}

ConnectionSender::~ConnectionSender() {
    stop();
}

void ConnectionSender::stop() {
    stop_waiting();
    retry_.stop();
    const std::lock_guard lock(inbox_->mutex);
    inbox_->owner = nullptr;
}

std::function<void(ParkedConnection)> ConnectionSender::inlet() const {
    return
        [inbox = inbox_](ParkedConnection connection) { Inbox::put(inbox, std::move(connection)); };
}

void ConnectionSender::continue_with(Channel channel) {
    stop_waiting();
    channel_.emplace(std::move(channel));
    flush();
}

void ConnectionSender::finish(const ConnectionCounts& counts) {
    end_ = end_message(counts);
    flush();
}

void ConnectionSender::withdraw_finish() {
    end_.reset();
}

void ConnectionSender::finish_now(const ConnectionCounts& counts) {
    if (channel_ && channel_->send(end_message(counts)) == Channel::Sent::sent) end_.reset();
}

std::deque<ParkedConnection> ConnectionSender::take_back() {
    std::deque<ParkedConnection> all;
    if (batch_)
        if (auto unpacked = unpack(std::move(*std::exchange(batch_, std::nullopt))))
            std::move(unpacked->begin(), unpacked->end(), std::back_inserter(all));
    std::move(waiting_.begin(), waiting_.end(), std::back_inserter(all));
    waiting_.clear();
    const std::lock_guard lock(inbox_->mutex);
    std::move(inbox_->connections.begin(), inbox_->connections.end(), std::back_inserter(all));
    inbox_->connections.clear();
    return all;
}

std::size_t ConnectionSender::unsent() const {
    const std::lock_guard lock(inbox_->mutex);
    return (batch_ ? batch_->fds.size() : 0) + waiting_.size() + inbox_->connections.size();
}

void ConnectionSender::flush() {
    std::vector<ParkedConnection> fresh;
    {
        const std::lock_guard lock(inbox_->mutex);
        fresh.swap(inbox_->connections);
    }
    for (auto& connection : fresh)
        if (fits_in_a_message(connection))
            waiting_.push_back(std::move(connection));
        else
            callbacks_.unfit(std::move(connection));
    if (!channel_ || waits_for_room_) return;
    while (batch_ || !waiting_.empty()) {
        if (!batch_) batch_ = pack(waiting_);
        if (!send(*batch_)) return;
        batch_.reset();
    }
    if (end_) {
        if (!send(*end_)) return;
        end_.reset();
    }
    callbacks_.all_sent();
}

/// False if it was not sent; then somebody has been asked to change that.
bool ConnectionSender::send(const Message& message) {
    switch (channel_->send(message)) {
        case Channel::Sent::sent:
            return true;
        case Channel::Sent::full:
            if (callbacks_.full) {
                channel_.reset();  // nobody reads it, and the end comes in the last one
                callbacks_.full();
            } else {
                wait_for_room();
            }
            return false;
        case Channel::Sent::limit:
            if (callbacks_.full)
                callbacks_.failed("more descriptors are in flight than RLIMIT_NOFILE allows");
            else
                retry_.start_once(retry_after);
            return false;
        case Channel::Sent::closed:
            callbacks_.failed("the other end of the channel is gone");
            return false;
    }
    __builtin_unreachable();
}

void ConnectionSender::wait_for_room() {
    if (std::exchange(waits_for_room_, true)) return;
    loop_.watch(
        channel_->fd(),
        [this] {
            stop_waiting();
            flush();
        },
        EventLoop::When::writable);
}

void ConnectionSender::stop_waiting() {
    if (std::exchange(waits_for_room_, false)) loop_.forget(channel_->fd());
}

}  // namespace handover
