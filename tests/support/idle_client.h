// SPDX-License-Identifier: MIT
#pragma once

#include "support/client_connections.h"
#include "support/load_report.h"

#include <cstddef>

namespace handover::test {

struct IdleOptions : ClientOptions {
    bool first_request = true;  ///< one on each connection before it stands idle
};

/// Many keep-alive connections that stand idle until they are told to ask.
///
/// Nothing is retried and no connection is ever opened again: what became of the connections that
/// were open is the question. A function's report counts from the end of the function before it,
/// so closes of idle connections are in the next report. Failures of this client itself (no
/// descriptors left) throw std::system_error. Not thread-safe.
class IdleClient {
  public:
    explicit IdleClient(const IdleOptions& options);

    /// Connects all and sends the first requests. Call it once.
    LoadReport open();
    /// One request on each connection that is still open, all at once; waits for the answers.
    LoadReport ask();
    /// How many are open, as far as the kernel knows by now.
    [[nodiscard]] std::size_t count();

    /// Readable when something has happened on an idle connection: call count() then.
    [[nodiscard]] int fd() const noexcept { return connections_.fd(); }

  private:
    void handle_events(ClientConnections::Clock::duration at_most);
    LoadReport finish();

    ClientConnections connections_;
};

}  // namespace handover::test
