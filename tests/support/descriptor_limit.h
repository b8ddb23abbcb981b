// SPDX-License-Identifier: MIT
#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <system_error>

namespace handover::test {

/// How many descriptors a process may have, at the very most.
[[nodiscard]] inline rlim_t hard_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
        throw std::system_error(errno, std::generic_category(), "getrlimit");
    return limit.rlim_max;
}

/// Sets the soft limit of descriptors, of this process and of those that it starts, for its length.
class DescriptorLimit {
  public:
    explicit DescriptorLimit(rlim_t limit) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        set(std::min(limit, before_.rlim_max));
    }
    ~DescriptorLimit() { (void)change(before_.rlim_cur); }
    DescriptorLimit(const DescriptorLimit&) = delete;
    DescriptorLimit& operator=(const DescriptorLimit&) = delete;

  private:
    [[nodiscard]] bool change(rlim_t limit) const {
        const rlimit now{limit, before_.rlim_max};
        return ::setrlimit(RLIMIT_NOFILE, &now) == 0;
    }
    void set(rlim_t limit) const {
        if (!change(limit)) throw std::system_error(errno, std::generic_category(), "setrlimit");
    }
    rlimit before_{};
};

}  // namespace handover::test
