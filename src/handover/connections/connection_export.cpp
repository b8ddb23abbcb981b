// SPDX-License-Identifier: MIT
#include "handover/connections/connection_export.h"

#include "handover/base/text.h"
#include "handover/connections/connection_message.h"

#include <utility>

namespace handover {
namespace {

constexpr const char* store_refuses =
    "the fd store takes no channel (FileDescriptorStoreMax= or NotifyAccess= in the unit)";

}  // namespace

ConnectionExport::ConnectionExport(EventLoop& loop, ServiceGroup& services,
                                   const ServiceManager& manager, Callbacks callbacks)
    : loop_(loop), services_(services), manager_(manager), callbacks_(std::move(callbacks)) {}

// ---- what it is told, as events

void ConnectionExport::begin(Grace grace) {
    if (phase_ == Phase::idle) before_ = services_.counts();
    grace_ = grace;
}

void ConnectionExport::expect_imports(bool expected) {
    const bool over = std::exchange(imports_expected_, expected) && !expected;
    // One that arrived after the services were drained may still be with them.
    if (over && services_drained_) return handle(Event::late_imports);
    check();
}

void ConnectionExport::move_to(Channel successor, Grace grace) {
    begin(grace);
    may_be_recalled_ = true;
    handle(Event::move_to, {.channel = std::move(successor)});
}

void ConnectionExport::store(const Message& hello, Grace grace) {
    begin(grace);
    const bool nothing = before_.open() == 0 && !imports_expected_;
    handle(nothing ? Event::store_nothing : Event::store, {.hello = &hello});
}

void ConnectionExport::drain(Grace grace) {
    begin(grace);
    may_be_recalled_ = false;
    handle(Event::drain);
}

void ConnectionExport::settle() {
    may_be_recalled_ = false;
    handle(Event::settle);
}

std::size_t ConnectionExport::recall(std::vector<Message> unread) {
    handle(Event::recall, {.unread = std::move(unread)});
    const auto lost = counts()[CloseReason::moved];
    returned_ = unfit_ = cut_unsent_ = 0;
    services_drained_ = may_be_recalled_ = false;
    return lost;
}

void ConnectionExport::keep(std::vector<Message> unread) {
    handle(Event::keep, {.unread = std::move(unread), .reason = "the successor ends as well"});
}

std::size_t ConnectionExport::cut() {
    const auto count = services_.close_remaining();
    handle(Event::cut);
    return count + cut_unsent_;
}

// ---- events become actions

void ConnectionExport::handle(Event event, Details details) {
    const auto [next, actions] = export_phase::step(phase_, event, may_be_recalled_);
    phase_ = next;
    for (const Action action : actions) perform(action, details);
    if (event != Event::nothing_left) check();
}

void ConnectionExport::check() {
    const export_phase::Left left{.imports_expected = imports_expected_,
                                  .services_drained = services_drained_,
                                  .not_sent = sender_ ? sender_->unsent() : 0};
    if (left.nothing()) handle(Event::nothing_left);
}

void ConnectionExport::perform(Action action, Details& details) {
    switch (action) {
        case Action::begin_moving:
            sender_ = std::make_unique<ConnectionSender>(loop_, sender_callbacks());
            return;
        case Action::begin_storing:
            return begin_storing();
        case Action::give:
            return drain_services(sender_->inlet());
        case Action::close:
            return drain_services(nullptr);
        case Action::serve_on:
            return serve_on();
        case Action::use_channel:
            return sender_->continue_with(std::move(*details.channel));
        case Action::pass_unsent_on:
            return pass_unsent_on();
        case Action::drop_sender:
            return drop(std::move(sender_));
        case Action::warn_unsent:
            return warn_unsent(details.reason);
        case Action::return_unsent:
            return return_unsent();
        case Action::return_unread:
            return return_unread(std::move(details.unread));
        case Action::ask_store:
            return ask_store(details.hello);
        case Action::warn_not_stored:
            if (manager_.present())
                callbacks_.warn("connections do not survive this restart: " + details.reason);
            return;
        case Action::send_account:
            // NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): the table says who has a sender
            return sender_->finish(counts());
        case Action::withdraw_account:
            return sender_->withdraw_finish();
        case Action::send_account_now:
            if (sender_) sender_->finish_now(counts());
            return;
        case Action::cut_unsent:
            if (sender_) cut_unsent_ += sender_->take_back().size();
            return;
        case Action::report_done:
            return callbacks_.done();
    }
}

// ---- the services

void ConnectionExport::drain_services(std::function<void(ParkedConnection)> give) {
    services_drained_ = false;
    services_.drain({.idle_grace = grace_, .give = std::move(give)}, [this] {
        services_drained_ = true;
        check();
    });
}

void ConnectionExport::serve_on() {
    services_drained_ = false;
    services_.serve_on();
}

void ConnectionExport::return_unsent() {
    if (!sender_) return;
    auto unsent = sender_->take_back();
    drop(std::move(sender_));
    returned_ += unsent.size();
    for (auto& connection : unsent) services_.adopt(std::move(connection));
}

void ConnectionExport::return_unread(std::vector<Message> unread) {
    for (auto& message : unread) {
        if (message.type != Message::Type::connections) continue;
        auto connections = unpack(std::move(message));
        if (!connections) continue;  // cannot be: we have packed it ourselves
        returned_ += connections->size();
        for (auto& connection : *connections) services_.adopt(std::move(connection));
    }
}

void ConnectionExport::warn_unsent(const std::string& reason) const {
    const std::size_t count = sender_ ? sender_->unsent() : 0;
    if (count != 0) callbacks_.warn(plural(count, "connection") + " cannot be moved: " + reason);
}

// ---- the sender

ConnectionSender::Callbacks ConnectionExport::sender_callbacks() {
    return {
        .all_sent = [this] { handle(Event::all_sent); },
        .failed = [this](const std::string& reason) { handle(Event::failed, {.reason = reason}); },
        .unfit = [this](ParkedConnection connection) { on_unfit(std::move(connection)); },
    };
}

void ConnectionExport::begin_storing() {
    auto callbacks = sender_callbacks();
    callbacks.full = [this] { handle(Event::channel_full); };
    aside_ =
        std::exchange(sender_, std::make_unique<ConnectionSender>(loop_, std::move(callbacks)));
}

void ConnectionExport::pass_unsent_on() {
    const auto inlet = sender_->inlet();
    for (auto& connection : aside_->take_back()) inlet(std::move(connection));
    aside_->finish_now(counts());
    drop(std::move(aside_));
}

/// It ends later, for we may be inside one of its callbacks, and calls none any more.
void ConnectionExport::drop(Sender sender) {
    if (!sender) return;
    sender->stop();
    loop_.post([ended = std::shared_ptr<ConnectionSender>(std::move(sender))]() mutable {
        ended.reset();
    });
}

void ConnectionExport::on_unfit(ParkedConnection connection) {
    ++unfit_;
    close_politely(std::move(connection));
}

// ---- the fd store

/// With a hello, for the first channel; the others begin with the same one.
void ConnectionExport::ask_store(const Message* hello) {
    if (hello != nullptr)
        stored_channels_ = std::make_unique<StoredChannels>(loop_, manager_, *hello);
    stored_channels_->open([this](std::optional<Channel> channel) {
        if (channel)
            handle(Event::channel_opened, {.channel = std::move(channel)});
        else
            handle(Event::channel_refused, {.reason = store_refuses});
    });
}

// ---- the account

ConnectionCounts ConnectionExport::counts() const {
    ConnectionCounts counts = services_.counts().since(before_);
    const std::uint64_t not_sent =
        returned_ + unfit_ + cut_unsent_ + (sender_ ? sender_->unsent() : 0);
    counts.opened -= returned_;
    counts[CloseReason::moved] -= not_sent;
    counts[CloseReason::no_room] += unfit_;
    counts[CloseReason::cut_at_deadline] += cut_unsent_;
    return counts;
}

}  // namespace handover
