// SPDX-License-Identifier: MIT
#pragma once

#include "handover/endpoint.h"
#include "handover/unique_fd.h"
#include "support/processes.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace handover::test {

/// A whole HTTP response as it came over the wire.
struct RawResponse {
    int status = 0;
    std::string head;  ///< status line and header lines, the empty line included
    std::string body;  ///< chunks put together

    /// The value of a header; the name in any case.
    [[nodiscard]] std::optional<std::string> header(std::string_view name) const;
    /// Does it say "Connection: close"?
    [[nodiscard]] bool says_close() const;
};

/// A blocking client that sends exactly the bytes it is given and never retries or reconnects.
///
/// Every wait has a deadline; what does not happen in time, or fails, throws std::runtime_error
/// which says what had come by then. Not thread-safe.
class RawClient {
  public:
    /// Connects. Let it wait less only where nothing is expected to come.
    explicit RawClient(const Endpoint& server, std::chrono::milliseconds within = timeout);

    void send(std::string_view bytes);
    /// Ends our direction of the stream; the response can still be read.
    void end_sending();
    /// Closes so that the server sees a reset.
    void reset();

    /// One response, 1xx ones included. `to_head`: it answers a HEAD, so there is no body.
    [[nodiscard]] RawResponse receive(bool to_head = false);
    /// Sends a GET with keep-alive, receives the response.
    [[nodiscard]] RawResponse get(std::string_view path);

    /// Everything until the server closes.
    [[nodiscard]] std::string receive_to_end();
    /// Exactly so many bytes.
    [[nodiscard]] std::string receive_bytes(std::size_t count);
    /// Has the server closed, without sending anything more, in time?
    [[nodiscard]] bool closed_by_server();
    /// The same, or has it reset the connection, as with a request that it has not read yet?
    [[nodiscard]] bool cut_by_server();
    /// Is there neither a byte nor a close at this moment?
    [[nodiscard]] bool is_quiet() const;

    [[nodiscard]] int fd() const { return fd_.get(); }

  private:
    /// False at the end of the stream.
    bool read_more(std::chrono::steady_clock::time_point deadline);
    std::string read_line(std::chrono::steady_clock::time_point deadline);
    std::string take(std::size_t count, std::chrono::steady_clock::time_point deadline);
    std::string take_chunks(std::chrono::steady_clock::time_point deadline);
    [[nodiscard]] std::chrono::steady_clock::time_point deadline() const;
    [[noreturn]] void fail(const std::string& what) const;

    UniqueFd fd_;
    std::chrono::milliseconds within_;
    std::string pending_;  // received, not yet taken
};

}  // namespace handover::test
