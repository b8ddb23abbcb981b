// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace handover::http {

/// Follows a chunked body (RFC 9112, 7.1) as it is read, only to know where it ends: decoding is
/// cpp-httplib's. It keeps httplib from reading into the next request, and refuses what the
/// versions of httplib disagree about (negative or overlong sizes, bare line feeds).
/// Not thread-safe; no I/O.
class ChunkedFraming {
  public:
    /// Chunk data of more than `data_bytes_max` in total is refused.
    explicit ChunkedFraming(std::uint64_t data_bytes_max) : data_left_(data_bytes_max) {}

    /// How many of these bytes belong to the body. Fewer than `size` once the end has been seen, or
    /// at a fault: see ended() and failed().
    std::size_t advance(const char* bytes, std::size_t size);

    [[nodiscard]] bool ended() const { return state_ == State::ended; }
    [[nodiscard]] bool failed() const { return state_ == State::failed; }
    /// Failed because of `data_bytes_max`, not of a fault.
    [[nodiscard]] bool too_large() const { return too_large_; }

  private:
    enum class State {
        size,
        extension,
        size_line_feed,
        data,
        data_carriage_return,
        data_line_feed,
        trailer_line_start,
        trailer,
        trailer_line_feed,
        last_line_feed,
        ended,
        failed,
    };
    [[nodiscard]] State next(char c);
    [[nodiscard]] State in_size(char c);
    [[nodiscard]] State after_size_line();

    State state_ = State::size;
    unsigned size_digits_ = 0;
    std::size_t overhead_bytes_ = 0;  ///< extensions and trailers, which nobody asked for
    std::uint64_t chunk_left_ = 0;
    bool too_large_ = false;
    std::uint64_t data_left_;
};

}  // namespace handover::http
