// SPDX-License-Identifier: MIT
#pragma once

#include "handover/printable.h"

#include <stdexcept>
#include <string>

namespace handover {

/// Why a generation cannot start or a handover cannot be tried. what() names the thing, the value
/// and, where there is one, the fix; it is meant to be shown to the operator as it stands, and is
/// printable(), wherever the value comes from.
class Error : public std::runtime_error {
  public:
    /// Whose move it is. exit_status() maps it to sysexits.h, which systemd shows by name.
    enum class Kind {
        config,  ///< somebody gave us something wrong: a text, an environment, a descriptor
        os,      ///< the system refused: a limit, a permission, an address in use
    };

    Error(Kind kind, const std::string& what) : std::runtime_error(printable(what)), kind_(kind) {}

    [[nodiscard]] Kind kind() const noexcept { return kind_; }
    /// EX_CONFIG (78) or EX_OSERR (71).
    [[nodiscard]] int exit_status() const noexcept { return kind_ == Kind::config ? 78 : 71; }

  private:
    Kind kind_;
};

/// An Error::Kind::os that ends in strerror(error_number): "cannot listen on [::]:80: Permission
/// denied".
[[nodiscard]] Error os_error(const std::string& what, int error_number);

}  // namespace handover
