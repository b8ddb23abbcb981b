// SPDX-License-Identifier: MIT
#include "handover/connections/connection_export.h"

#include "handover/base/text.h"
#include "handover/connections/connection_message.h"

#include <utility>

namespace handover {

ConnectionExport::ConnectionExport(EventLoop& loop, ServiceGroup& services,
                                   const ServiceManager& manager, Callbacks callbacks)
    : loop_(loop), services_(services), manager_(manager), callbacks_(std::move(callbacks)) {}

void ConnectionExport::begin(Grace grace) {
    if (!std::exchange(begun_, true)) before_ = services_.counts();
    grace_ = grace;
    // Told again after the end: something may have come back since, and somebody waits to be told.
    if (std::exchange(done_, false)) {
        finishing_ = false;
        if (to_successor_) discard(std::move(to_successor_));  // it has got the account
        drain_services();
    }
}

void ConnectionExport::expect_imports(bool expected) {
    imports_expected_ = expected;
    // One that arrived after the services were drained may still be with them.
    if (!expected && services_drained_ && !done_) drain_services();
    check();
}

// ---- the three ways

void ConnectionExport::move_to(Channel successor, Grace grace) {
    may_be_recalled_ = true;
    begin(grace);
    to_successor_ = std::make_unique<ConnectionSender>(loop_, sender_callbacks(to_successor_));
    to_successor_->continue_with(std::move(successor));
    drain_services();
}

void ConnectionExport::store(const Message& hello, Grace grace) {
    begin(grace);
    if (opening_ || to_store_) return;
    // Nothing to store, and nothing that could still come.
    if (before_.open() == 0 && !imports_expected_ && !to_successor_) return drain_services();
    stored_channels_ = std::make_unique<StoredChannels>(loop_, manager_, hello);
    open_stored_channel();
}

void ConnectionExport::drain(Grace grace) {
    may_be_recalled_ = false;
    begin(grace);
    // What can move goes on moving; the grace is for the others.
    if (sender() == nullptr && !opening_) drain_services();
}

void ConnectionExport::settle() {
    if (std::exchange(may_be_recalled_, false) && sender() == nullptr && !opening_)
        drain_services();
}

ConnectionSender::Callbacks ConnectionExport::sender_callbacks(Sender& sender) {
    ConnectionSender::Callbacks callbacks;
    callbacks.all_sent = [this] { on_all_sent(); };
    callbacks.failed = [this, &sender](const std::string& reason) { give_up(sender, reason); };
    callbacks.unfit = [this](ParkedConnection connection) { on_unfit(std::move(connection)); };
    return callbacks;
}

void ConnectionExport::drain_services() {
    services_drained_ = false;
    // A response must not announce a close a moment before there is somewhere to go.
    if (sender() == nullptr && (opening_ || may_be_recalled_)) return services_.serve_on();
    services_.drain({grace_, sender() != nullptr ? sender()->inlet() : nullptr}, [this] {
        services_drained_ = true;
        check();
    });
}

// ---- channels in the fd store

void ConnectionExport::open_stored_channel() {
    opening_ = true;
    stored_channels_->open([this](std::optional<Channel> channel) {
        opening_ = false;
        on_stored_channel(std::move(channel));
    });
}

void ConnectionExport::on_stored_channel(std::optional<Channel> channel) {
    if (channel && to_store_) return to_store_->continue_with(std::move(*channel));
    if (channel) return on_first_stored_channel(std::move(*channel));
    const std::string reason =
        "the fd store takes no channel (FileDescriptorStoreMax= or NotifyAccess= in the unit)";
    if (to_store_) return give_up(to_store_, reason);
    if (manager_.present()) callbacks_.warn("connections do not survive this restart: " + reason);
    // A successor, if there is one, may have more luck with the store.
    if (to_successor_) return check();
    drain_services();
}

void ConnectionExport::on_first_stored_channel(Channel channel) {
    auto callbacks = sender_callbacks(to_store_);
    callbacks.full = [this] { open_stored_channel(); };
    to_store_ = std::make_unique<ConnectionSender>(loop_, std::move(callbacks));
    drain_services();  // from here on nothing is given to the successor any more
    if (to_successor_) {
        const auto inlet = to_store_->inlet();
        for (auto& connection : to_successor_->take_back()) inlet(std::move(connection));
        to_successor_->finish_now(counts());
        discard(std::move(to_successor_));
    }
    to_store_->continue_with(std::move(channel));
}

// ---- the end

void ConnectionExport::give_up(Sender& sender, const std::string& reason) {
    Sender gone = std::move(sender);
    drain_services();  // from here on nothing is given to it any more
    auto unsent = gone->take_back();
    discard(std::move(gone));
    finishing_ = false;
    if (!unsent.empty())
        callbacks_.warn(plural(unsent.size(), "connection") + " cannot be moved: " + reason);
    returned_ += unsent.size();
    for (auto& connection : unsent) services_.adopt(std::move(connection));
    // Without these the services may have been drained already.
    if (!unsent.empty()) drain_services();
    check();
}

/// Later: we may be inside one of its callbacks.
void ConnectionExport::discard(Sender sender) {
    loop_.post([ended = std::shared_ptr<ConnectionSender>(std::move(sender))]() mutable {
        ended.reset();
    });
}

ConnectionSender* ConnectionExport::sender() const {
    return to_store_ ? to_store_.get() : to_successor_.get();
}

void ConnectionExport::on_all_sent() {
    if (!finishing_) return check();
    done_ = true;
    callbacks_.done();
}

void ConnectionExport::on_unfit(ParkedConnection connection) {
    ++unfit_;
    close_politely(std::move(connection));
}

void ConnectionExport::check() {
    if (done_ || finishing_ || !begun_ || opening_ || imports_expected_ || !services_drained_)
        return;
    if (sender() == nullptr) {
        done_ = true;
        return callbacks_.done();
    }
    if (sender()->unsent() != 0) return;
    finishing_ = true;
    sender()->finish(counts());
}

std::size_t ConnectionExport::cut() {
    const auto count = services_.close_remaining();
    for (auto* sender : {to_successor_.get(), to_store_.get()})
        if (sender != nullptr) cut_unsent_ += sender->take_back().size();
    done_ = true;
    if (sender() != nullptr) sender()->finish_now(counts());
    return count + cut_unsent_;
}

/// Sent, and never read.
void ConnectionExport::take_back(std::vector<Message> unread) {
    for (auto& message : unread) {
        if (message.type != Message::Type::connections) continue;
        auto connections = unpack(std::move(message));
        if (!connections) continue;  // cannot be: we have packed it ourselves
        returned_ += connections->size();
        for (auto& connection : *connections) services_.adopt(std::move(connection));
    }
}

void ConnectionExport::keep(std::vector<Message> unread) {
    if (to_successor_) give_up(to_successor_, "the successor ends as well");
    take_back(std::move(unread));
    drain_services();
}

std::size_t ConnectionExport::recall(std::vector<Message> unread) {
    take_back(std::move(unread));
    const auto lost = counts()[CloseReason::moved];
    if (to_successor_) {
        for (auto& connection : to_successor_->take_back()) services_.adopt(std::move(connection));
        discard(std::move(to_successor_));
    }
    returned_ = unfit_ = cut_unsent_ = 0;
    begun_ = services_drained_ = finishing_ = done_ = may_be_recalled_ = false;
    return lost;
}

ConnectionCounts ConnectionExport::counts() const {
    ConnectionCounts counts = services_.counts().since(before_);
    std::uint64_t not_sent = returned_ + unfit_ + cut_unsent_;
    for (const auto* sender : {to_successor_.get(), to_store_.get()})
        if (sender != nullptr) not_sent += sender->unsent();
    counts.opened -= returned_;
    counts[CloseReason::moved] -= not_sent;
    counts[CloseReason::no_room] += unfit_;
    counts[CloseReason::cut_at_deadline] += cut_unsent_;
    return counts;
}

}  // namespace handover
