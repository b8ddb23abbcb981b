// SPDX-License-Identifier: MIT
#pragma once

#include "handover/printable.h"

#include <stdexcept>
#include <string>

namespace handover {

/// Why a generation cannot start or a handover cannot be tried. what() names the thing, the value
/// and, where there is one, the fix: "cannot listen on [::]:80: Permission denied". It is meant to
/// be shown to the operator as it stands, and is printable(), wherever the value comes from. What
/// the standard library throws, std::bad_alloc for example, is not caught on the way.
class Error : public std::runtime_error {
  public:
    /// Who can do something about it.
    enum class Kind {
        config,  ///< who configures: a text, an environment variable or a descriptor is wrong
        os,      ///< who runs the machine: a limit, a permission, an address in use
    };

    /// `what` may hold any bytes: it is made printable() here.
    Error(Kind kind, const std::string& what) : std::runtime_error(printable(what)), kind_(kind) {}

    /// Who can do something about it.
    [[nodiscard]] Kind kind() const noexcept { return kind_; }
    /// For main() to return: 78 (EX_CONFIG) for Kind::config, 71 (EX_OSERR) for Kind::os. Both are
    /// of sysexits.h(3head); systemd shows them by name (systemd.exec(5), "Process Exit Codes").
    [[nodiscard]] int exit_status() const noexcept { return kind_ == Kind::config ? 78 : 71; }

  private:
    Kind kind_;
};

/// An Error of Kind::os with the text of errno(3) at its end: os_error("cannot listen on [::]:80",
/// EACCES) says "cannot listen on [::]:80: Permission denied". Does not throw it. Thread-safe.
[[nodiscard]] Error os_error(const std::string& what, int error_number);

}  // namespace handover
