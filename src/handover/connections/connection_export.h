// SPDX-License-Identifier: MIT
#pragma once

#include "handover/base/event_loop.h"
#include "handover/connection_counts.h"
#include "handover/connections/connection_sender.h"
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
/// Works on an EventLoop and borrows the services and the manager; all must outlive it. Not
/// thread-safe.
class ConnectionExport {
  public:
    /// Called from the loop.
    struct Callbacks {
        /// Nothing is left, and the next generation has been told the account. Once after each of
        /// move_to(), store() and drain(), or after several of them.
        std::function<void()> done;
        std::function<void(const std::string&)> warn;
    };

    ConnectionExport(EventLoop& loop, ServiceGroup& services, const ServiceManager& manager,
                     Callbacks callbacks);

    /// As long as connections of an older generation may still arrive, nothing is done.
    void expect_imports(bool expected);

    /// For connections that cannot move: see Service::Drain.
    using Grace = std::chrono::milliseconds;

    // The services do not accept any more, and one of these says where their connections go.

    /// To a successor that speaks protocol version 2. Should it die before settle(), what has not
    /// been sent is kept for recall(), and served in the meantime.
    void move_to(Channel successor, Grace grace);
    /// Into the fd store; `hello` begins every channel there. Where the store takes none, to the
    /// successor as before, if there is one.
    void store(const Message& hello, Grace grace);
    /// Nowhere. What has been said before goes on, with this grace.
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
    using Sender = std::unique_ptr<ConnectionSender>;

    void begin(Grace grace);
    void take_back(std::vector<Message> unread);
    /// They give their connections to the sender there is; without one they serve on as long as
    /// there may be one, and else close them politely. Again for what they have adopted since.
    void drain_services();
    void open_stored_channel();
    void on_stored_channel(std::optional<Channel> channel);
    void on_first_stored_channel(Channel channel);
    void on_all_sent();
    void on_unfit(ParkedConnection connection);
    [[nodiscard]] ConnectionSender::Callbacks sender_callbacks(Sender& sender);
    /// Its connections go back to the services.
    void give_up(Sender& sender, const std::string& reason);
    void discard(Sender sender);
    [[nodiscard]] ConnectionSender* sender() const;
    void check();

    EventLoop& loop_;
    ServiceGroup& services_;
    const ServiceManager& manager_;
    const Callbacks callbacks_;
    ConnectionCounts before_;
    Grace grace_{0};
    std::size_t returned_ = 0;    ///< given away by a service, and given back
    std::size_t unfit_ = 0;       ///< given away by a service, and too large to send
    std::size_t cut_unsent_ = 0;  ///< given away by a service, and never sent
    Sender to_successor_;
    Sender to_store_;  ///< from when the store has taken a channel
    std::unique_ptr<StoredChannels> stored_channels_;
    bool begun_ = false;
    bool opening_ = false;  ///< waiting for the store to take a channel
    bool may_be_recalled_ = false;
    bool imports_expected_ = false;
    bool services_drained_ = false;
    bool finishing_ = false;  ///< the account is on its way
    bool done_ = false;
};

}  // namespace handover
