// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace handover::http {

/// What has been received and not yet consumed. Each worker has one and lends it to the connection
/// it serves, so that a connection that waits needs none. Not thread-safe.
class ReceiveBuffer {
  public:
    explicit ReceiveBuffer(std::size_t capacity_bytes)
        : bytes_(std::make_unique<char[]>(capacity_bytes)), capacity_(capacity_bytes) {}

    [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }
    [[nodiscard]] const char* data() const noexcept { return bytes_.get() + begin_; }
    [[nodiscard]] std::string_view view() const noexcept { return {data(), size()}; }
    /// The first so many of them, to be changed.
    [[nodiscard]] std::span<char> front(std::size_t count) noexcept {
        return {bytes_.get() + begin_, count};
    }
    void consume(std::size_t count) noexcept { begin_ += count; }
    void clear() noexcept {
        begin_ = end_ = 0;
        exhausted_ = false;
    }
    /// Did the last fill() get all that there was? epoll(7) says how that is known of a stream:
    /// there was less than what was asked for.
    [[nodiscard]] bool exhausted() const noexcept { return exhausted_; }

    /// Starts afresh with bytes that a connection kept; they must fit.
    void assign(std::string_view bytes) noexcept;

    /// One recv() from a non-blocking socket into the room that is left. Returns its result: 0 at
    /// the end of the stream, -1 with errno set.
    [[nodiscard]] ssize_t fill(int fd) noexcept;

  private:
    std::unique_ptr<char[]> bytes_;
    std::size_t capacity_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    bool exhausted_ = false;
};

}  // namespace handover::http
