// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>

namespace handover::http {

/// Keeps count of the workers that wait for a client in the middle of a message, and allows only so
/// many. Without that, clients who send or take nothing could occupy every worker there may be.
///
/// Thread-safe.
class SlowClientLimit {
  public:
    explicit SlowClientLimit(std::size_t most) : most_(most) {}

    /// One worker's wait, for as long as this lives; unless there is no place for it.
    class Place {
      public:
        explicit Place(SlowClientLimit& waits) : waits_(waits), taken_(waits.begin()) {}
        ~Place() {
            if (taken_) --waits_.now_;
        }
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;
        [[nodiscard]] bool taken() const { return taken_; }

      private:
        SlowClientLimit& waits_;
        const bool taken_;
    };

  private:
    [[nodiscard]] bool begin() {
        auto now = now_.load();
        while (now < most_)
            if (now_.compare_exchange_weak(now, now + 1)) return true;
        return false;
    }

    const std::size_t most_;
    std::atomic<std::size_t> now_{0};
};

}  // namespace handover::http
