// SPDX-License-Identifier: MIT
#pragma once

#include <httplib.h>

namespace handoverd {

/// httplib shall send the body of this response as it is: neither cut to the ranges of the request
/// nor compressed. Before 0.16 it cuts also what is no 206, and takes the ends of ranges as they
/// come, beyond the end of the body, too.
///
/// The request is a local variable of httplib's process_request(), which goes on with it.
inline void keep_as_it_is(const httplib::Request& request) {
    auto& changed = const_cast<httplib::Request&>(request);
    changed.ranges.clear();
    changed.headers.erase("Accept-Encoding");
}

}  // namespace handoverd
