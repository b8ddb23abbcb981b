// SPDX-License-Identifier: MIT
#include "handover/error.h"

#include <system_error>

namespace handover {

Error os_error(const std::string& what, int error_number) {
    return {Error::Kind::os, what + ": " + std::generic_category().message(error_number)};
}

}  // namespace handover
