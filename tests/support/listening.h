// SPDX-License-Identifier: MIT
#pragma once

#include "handover/endpoint.h"
#include "handover/unique_fd.h"

#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace handover::test {

/// A listening socket of the test's own, as a service manager makes them.
class ListeningSocket {
  public:
    /// Throws std::system_error.
    explicit ListeningSocket(const std::string& address) {
        const auto wanted = Endpoint::parse(address);
        fd_.reset(::socket(wanted.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (!fd_ || ::bind(fd_.get(), wanted.address(), wanted.address_length()) != 0 ||
            ::listen(fd_.get(), backlog) != 0)
            throw std::system_error(errno, std::generic_category(), "cannot listen on " + address);
    }

    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    [[nodiscard]] Endpoint endpoint() const { return Endpoint::of_socket(fd_.get()).value(); }

  private:
    static constexpr int backlog = 128;
    UniqueFd fd_;
};

}  // namespace handover::test
