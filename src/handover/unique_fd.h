// SPDX-License-Identifier: MIT
#pragma once

#include <unistd.h>

#include <utility>

namespace handover {

/// Owns one descriptor and closes it. Move-only; never duplicated behind your back.
///
/// The project's ownership words: `adopt` and a UniqueFd parameter take the descriptor, a plain int
/// only borrows it, `release` gives it up. Every descriptor is O_CLOEXEC from birth.
/// Not thread-safe.
class UniqueFd {
  public:
    UniqueFd() noexcept = default;
    explicit UniqueFd(int fd) noexcept : fd_(fd) {}
    ~UniqueFd() { reset(); }

    UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        if (this != &other) reset(other.release());
        return *this;
    }
    UniqueFd(const UniqueFd&) = delete;
    UniqueFd& operator=(const UniqueFd&) = delete;

    /// Borrowed: valid while this object owns it, -1 when it owns nothing.
    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }

    /// Gives the descriptor up without closing it.
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

    /// Closes what it owned, then adopts `fd`. close() is not retried on EINTR: on Linux the
    /// descriptor is gone either way (close(2)).
    void reset(int fd = -1) noexcept {
        if (fd_ >= 0) ::close(fd_);
        fd_ = fd;
    }

  private:
    int fd_ = -1;
};

}  // namespace handover
