// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace handover::test {

/// Reads one HTTP/1.1 response as its bytes come, strictly enough to know whether all of it came.
///
/// Knows Content-Length, chunked bodies, bodies that end with the connection, and 1xx responses
/// (passed over). Does not know HEAD. Keeps no body. A value type.
class ResponseReader {
  public:
    enum class State {
        nothing,    ///< not a byte yet
        partial,    ///< begun
        complete,   ///< all of it came
        malformed,  ///< not HTTP, or more than was promised
    };

    /// Takes the next bytes. Bytes after a complete response make it malformed: the client never
    /// has two requests outstanding on one connection.
    State feed(std::string_view bytes);
    /// The server has closed: completes a response whose body ends with the connection.
    State end();

    [[nodiscard]] State state() const noexcept { return state_; }
    [[nodiscard]] int status() const noexcept { return status_; }
    /// The server will close after this response: it says so, or its body ends with the connection.
    [[nodiscard]] bool closes() const noexcept { return closes_ || until_close_; }
    /// The value of a field of the head; the name in any case.
    [[nodiscard]] std::optional<std::string> field(std::string_view name) const;

  private:
    State judge();
    bool read_head();
    State read_chunks();

    State state_ = State::nothing;
    std::string head_;
    std::string pending_;  // bytes not yet understood
    bool head_done_ = false;
    int status_ = 0;
    bool closes_ = false;
    bool chunked_ = false;
    bool until_close_ = false;
    std::size_t body_left_ = 0;
};

}  // namespace handover::test
