// SPDX-License-Identifier: MIT
#pragma once

#include "http/chunked_framing.h"
#include "http/connection.h"
#include "http/receive_buffer.h"
#include "http/request_head.h"
#include "http/server_options.h"
#include "http/slow_client_limit.h"

#include <httplib.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace handover::http {

/// cpp-httplib's view of a connection for the length of one message. Reading ends where the message
/// ends, so that what a client sent ahead stays in the buffer for the next request.
///
/// Belongs to one worker. Borrows the connection, its buffer, the options and the places for those
/// who wait. Where there is no place, a client that is not ready counts as one that has stalled.
///
/// No `override` on what httplib calls: the set of virtual functions differs between versions
/// (is_writable until 0.19; wait_readable, wait_writable and duration since 0.20; set_read_timeout
/// since 0.33, is_peer_alive since 0.34), and this is the union. A version that wants one more does
/// not compile.
// NOLINTBEGIN(modernize-use-override): see above
class MessageStream final : public httplib::Stream {
  public:
    MessageStream(Connection& connection, ReceiveBuffer& input, const RequestHead& head,
                  const ServerOptions& options, SlowClientLimit& waits);

    using httplib::Stream::write;
    bool is_readable() const { return !at_end() && !input_.empty(); }
    bool is_writable() const;
    bool wait_readable() const;
    bool wait_writable() const { return is_writable(); }
    bool is_peer_alive() const;
    ssize_t read(char* to, size_t size);
    ssize_t write(const char* from, size_t size);
    void get_remote_ip_and_port(std::string& ip, int& port) const;
    void get_local_ip_and_port(std::string& ip, int& port) const;
    decltype(std::declval<const httplib::Stream&>().socket()) socket() const;
    time_t duration() const { return 0; }  ///< only clients have an overall time limit
    void set_read_timeout(time_t sec, time_t usec = 0);

    /// httplib has understood the head; what it reads from now on is the body.
    void begin_body();
    /// The response begins, so httplib has read all it needs. Since 0.40 it would now wait for the
    /// rest of the body, however long that takes; skip_rest() is there for it.
    void end_reading() {
        reading_ = false;
        sent_bytes_ = 0;  // a "100 Continue" is not of it
    }
    /// The response's head comes next, and a body that httplib may write separately: holds the one
    /// back until the other comes, to send both with one system call. And adds the header lines,
    /// borrowed until the head has been written: Debian 12's httplib prints each by snprintf(),
    /// which takes longer than all that we do.
    void cork(httplib::Headers& headers);
    /// Sends what is held back. False if the client is gone.
    bool flush();
    /// Reads and forgets what httplib left of the body, if that is little and comes quickly. True
    /// if the next request can follow.
    bool skip_rest();

    /// Why the body could not be read, for the client: 408 or 413; 0 when httplib's word is as
    /// good.
    [[nodiscard]] int body_fault() const { return body_fault_; }
    [[nodiscard]] bool in_body() const { return in_body_; }
    /// Has all of the message been read?
    [[nodiscard]] bool at_end() const { return framing_ ? framing_->ended() : left_ == 0; }
    /// Is more of the body outstanding than skip_rest() would put up with?
    [[nodiscard]] bool much_left() const;
    /// The connection failed or its client stalled, ended the stream early or broke the framing.
    [[nodiscard]] bool broken() const { return input_broken_ || output_broken_; }
    [[nodiscard]] bool wrote() const { return wrote_; }
    /// Of the response's body, the frames of chunks included.
    [[nodiscard]] std::uint64_t body_bytes_sent() const {
        return sent_bytes_ > head_bytes_ ? sent_bytes_ - head_bytes_ : 0;
    }

  private:
    ssize_t read_some(char* to, size_t size);
    [[nodiscard]] bool receive();
    [[nodiscard]] bool await_input() const;
    enum class Wait { ready, stalled, failed };
    [[nodiscard]] Wait wait(short events, Clock::time_point until) const;
    [[nodiscard]] Wait poll_until(short events, Clock::time_point until) const;
    [[nodiscard]] Clock::time_point read_deadline() const;
    /// What came with it of the body.
    [[nodiscard]] std::string_view hold_head(std::string_view head);
    bool send_all(const char* from, size_t size);

    Connection& connection_;
    ReceiveBuffer& input_;
    const RequestHead& head_;
    const ServerOptions& options_;
    SlowClientLimit& waits_;
    std::uint64_t left_;  ///< of the head, then of a body whose length is known
    std::optional<ChunkedFraming> framing_;
    mutable std::optional<Clock::time_point> deadline_;  ///< set when we first wait for the body
    std::optional<std::chrono::microseconds> read_timeout_;
    httplib::Headers* headers_ = nullptr;
    httplib::Headers withheld_;
    std::string held_;
    mutable int body_fault_ = 0;
    bool reading_ = true;
    bool in_body_ = false;
    bool corked_ = false;
    bool input_broken_ = false;  ///< which the client can still be told
    bool output_broken_ = false;
    bool wrote_ = false;
    std::uint64_t sent_bytes_ = 0;
    std::uint64_t head_bytes_ = 0;  ///< of the response; httplib writes it all at once
};
// NOLINTEND(modernize-use-override)

}  // namespace handover::http
