// SPDX-License-Identifier: MIT
#pragma once

#include <httplib.h>

#include <string>
#include <string_view>

namespace handoverd {

/// The regular files below a directory, for GET and HEAD.
///
/// httplib's own mount points look at names, so they follow a symbolic link to wherever it leads,
/// and take a name with a NUL in it for what stands before that. Here nothing in a name, no ".."
/// and no symbolic link, leads out of the directory (see open_beneath). What is opened for reading
/// is the very file that was found to be a regular one: no fifo is waited for, no device touched.
///
/// The directory itself is found anew for each request: it may be a link that a deployment
/// switches. Thread-safe.
class StaticFiles {
  public:
    /// Throws Error: (config): `root` is not a directory.
    explicit StaticFiles(std::string root);

    /// Fills in the response and returns true if there is such a file. "/dir/" means
    /// "/dir/index.html". Without permission to read it the answer is 403.
    [[nodiscard]] bool answer(const httplib::Request& request, httplib::Response& response) const;

  private:
    std::string root_;
};

/// By the name's ending; "application/octet-stream" for what is not known.
[[nodiscard]] const char* content_type_of(std::string_view name);

}  // namespace handoverd
