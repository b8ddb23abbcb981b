// SPDX-License-Identifier: MIT
#include "support/idle_client.h"

namespace handover::test {
namespace {

using State = ClientConnections::State;

constexpr std::size_t connects_at_once = 256;  // fewer than a usual backlog holds

}  // namespace

IdleClient::IdleClient(const IdleOptions& options)
    : connections_(static_cast<const ClientOptions&>(options),
                   {.request_on_connect = options.first_request, .wait_for_backlog = true}, {}) {}

LoadReport IdleClient::open() {
    for (std::size_t next = 0; next < connections_.size(); ++next) {
        connections_.start(next);
        while (connections_.busy() >= connects_at_once)
            handle_events(ClientConnections::expire_every);
    }
    return finish();
}

LoadReport IdleClient::ask() {
    (void)count();
    for (std::size_t index = 0; index < connections_.size(); ++index)
        if (connections_[index].state == State::idle) connections_.start(index);
    return finish();
}

std::size_t IdleClient::count() {
    handle_events({});
    return connections_.open();
}

/// Takes the events that are there; waits for the first at most so long.
void IdleClient::handle_events(ClientConnections::Clock::duration at_most) {
    while (connections_.handle_events(at_most)) at_most = {};
    connections_.expire();
}

/// Waits until none is busy.
LoadReport IdleClient::finish() {
    while (connections_.busy() > 0) handle_events(ClientConnections::expire_every);
    return connections_.recorder().take();
}

}  // namespace handover::test
