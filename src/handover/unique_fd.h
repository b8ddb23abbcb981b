// SPDX-License-Identifier: MIT
#pragma once

#include <unistd.h>

#include <utility>

namespace handover {

/// Owns one descriptor and closes it, or owns none. Move-only: it is never duplicated behind your
/// back.
///
/// Who owns a descriptor, all over this library: a parameter of type UniqueFd, or of a struct with
/// one in it, is adopted, that is, taken from the caller; a plain int is borrowed, and stays open.
/// A result of type UniqueFd is the caller's. Every descriptor that the library makes is O_CLOEXEC
/// from the start.
///
/// Nothing here throws. Not thread-safe.
class UniqueFd {
  public:
    /// Owns nothing.
    UniqueFd() noexcept = default;
    /// Adopts `fd`; a negative one means nothing.
    explicit UniqueFd(int fd) noexcept : fd_(fd) {}
    /// Closes what it owns.
    ~UniqueFd() { reset(); }

    /// Takes what `other` owned, which then owns nothing.
    UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
    /// Closes what it owned and takes what `other` owned, which then owns nothing.
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        if (this != &other) reset(other.release());
        return *this;
    }
    UniqueFd(const UniqueFd&) = delete;
    UniqueFd& operator=(const UniqueFd&) = delete;

    /// Lends the descriptor: valid as long as this object owns it; negative if it owns none.
    [[nodiscard]] int get() const noexcept { return fd_; }
    /// Does it own a descriptor?
    [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }

    /// Gives the descriptor to the caller without closing it, and owns nothing from then on.
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

    /// Closes what it owned, then adopts `fd`; without an argument, it owns nothing then. close()
    /// is not retried on EINTR: on Linux the descriptor is gone either way (close(2)).
    void reset(int fd = -1) noexcept {
        if (fd_ >= 0) ::close(fd_);
        fd_ = fd;
    }

  private:
    int fd_ = -1;
};

}  // namespace handover
