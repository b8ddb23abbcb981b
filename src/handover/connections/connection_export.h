// SPDX-License-Identifier: MIT
#pragma once

#include "handover/base/event_loop.h"
#include "handover/connection_counts.h"
#include "handover/connections/connection_sender.h"
#include "handover/connections/export_phase.h"
#include "handover/connections/service_group.h"
#include "handover/connections/stored_channels.h"
#include "handover/peer/channel.h"
#include "handover/systemd/service_manager.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace handover {

/// What becomes of a generation's connections when it ends, and the account of it: they move to the
/// successor, or into the fd store; where neither can be, they are closed politely; and what is
/// left at the deadline is cut. Each way falls back to the next, and none loses a connection that
/// another could still take.
///
/// What happens when is decided in export_phase.h, without a system call; here is what carries it
/// out.
///
/// Works on an EventLoop and borrows the services and the manager; all must outlive it. Not
/// thread-safe.
class ConnectionExport {
  public:
    /// Called from the loop.
    struct Callbacks {
        /// Nothing is left, and the next generation has been told the account. Once after each of
        /// move_to(), store() and drain(), or after several of them; not after cut().
        std::function<void()> done;
        /// A sentence for the log.
        std::function<void(const std::string&)> warn;
    };

    ConnectionExport(EventLoop& loop, ServiceGroup& services, const ServiceManager& manager,
                     Callbacks callbacks);

    /// As long as connections of an older generation may still arrive, nothing is done.
    void expect_imports(bool expected);

    /// For connections that cannot move: see Service::Drain.
    using Grace = std::chrono::milliseconds;

    // The services do not accept any more, and one of these says where their connections go.

    /// Connections go to a successor that speaks protocol version 2. Should it die before settle(),
    /// what has not been sent is kept for recall(), and served in the meantime.
    void move_to(Channel successor, Grace grace);
    /// Connections go into the fd store; `hello` begins every channel there. Where the store takes
    /// none, they go to the successor of move_to(), if there is one.
    void store(const Message& hello, Grace grace);
    /// Connections are closed politely, unless they are on a way that has been said before: that
    /// goes on. recall() will not be called any more.
    void drain(Grace grace);
    /// The successor is on its own: recall() will not be called any more.
    void settle();

    /// The successor died, and the services accept again: gives them what was not sent, and
    /// `unread`, the messages that were sent and never read. Nothing is exported any more. Says how
    /// many connections went down with the successor.
    [[nodiscard]] std::size_t recall(std::vector<Message> unread);
    /// The successor ends as well: nothing moves to it any more, and `unread`, the messages that it
    /// will not read, go where the others go.
    void keep(std::vector<Message> unread);

    /// The deadline has passed: closes what is left and says how many that were.
    [[nodiscard]] std::size_t cut();

    /// The connections that were held when the first of these calls came, and those that arrived
    /// since.
    [[nodiscard]] ConnectionCounts counts() const;

  private:
    using Phase = export_phase::Phase;
    using Event = export_phase::Event;
    using Action = export_phase::Action;
    using Sender = std::unique_ptr<ConnectionSender>;

    /// What an event has with it. An action takes it; what none takes is closed.
    struct Details {
        std::optional<Channel> channel = std::nullopt;  ///< move_to, channel_opened
        std::vector<Message> unread = {};               ///< keep, recall
        std::string reason = {};         ///< keep, failed, channel_refused: half a sentence
        const Message* hello = nullptr;  ///< store
    };

    /// The first that is told says which connections are meant, the last how long those that cannot
    /// move are kept.
    void begin(Grace grace);
    void handle(Event event) { handle(event, {}); }
    void handle(Event event, Details details);
    void perform(Action action, Details& details);
    /// Is nothing left?
    void check();

    [[nodiscard]] ConnectionSender::Callbacks sender_callbacks();
    void begin_storing();
    void drain_services(std::function<void(ParkedConnection)> give);
    void serve_on();
    void pass_unsent_on();
    void drop(Sender sender);
    void warn_unsent(const std::string& reason) const;
    void return_unsent();
    void return_unread(std::vector<Message> unread);
    void ask_store(const Message* hello);
    void on_unfit(ParkedConnection connection);

    EventLoop& loop_;
    ServiceGroup& services_;
    const ServiceManager& manager_;
    const Callbacks callbacks_;
    Phase phase_ = Phase::idle;
    bool may_be_recalled_ = false;
    bool imports_expected_ = false;
    bool services_drained_ = false;
    ConnectionCounts before_;
    Grace grace_{0};
    std::size_t returned_ = 0;    ///< given away by a service, and given back
    std::size_t unfit_ = 0;       ///< given away by a service, and too large to send
    std::size_t cut_unsent_ = 0;  ///< given away by a service, and never sent
    Sender sender_;               ///< to the successor, or into the store
    Sender aside_;                ///< to the successor, while the one into the store takes over
    std::unique_ptr<StoredChannels> stored_channels_;
};

}  // namespace handover
