// SPDX-License-Identifier: MIT
#pragma once

#include "handoverd/files/cache_control.h"

#include <httplib.h>

#include <functional>
#include <string>

namespace handoverd {

struct StaticFilesOptions {
    std::string root;
    CacheControl cache_control;
    /// What the operator should know: files that are cut short while they are sent. One line, fit
    /// to be printed. Called from any thread; must not throw.
    std::function<void(const std::string&)> report;
};

/// The regular files below a directory, for GET and HEAD: with their types, validators, conditions
/// and ranges, and packed ones beside them ("page.html.br") for those who accept that.
///
/// httplib's own mount points look at names, so they follow a symbolic link to wherever it leads,
/// and take a name with a NUL in it for what stands before that. Here nothing in a name, no ".."
/// and no symbolic link, leads out of the directory (see open_beneath). What is opened for reading
/// is the very file that was found to be a regular one: no fifo is waited for, no device touched.
/// Its size, its state and its content come from that one descriptor.
///
/// Ranges and compression are not left to httplib, whose versions disagree about the first, and
/// which would pack a file anew for each request under the entity tag of the plain one.
///
/// The directory itself is found anew for each request: it may be a link that a deployment
/// switches. Thread-safe.
class StaticFiles {
  public:
    /// Throws Error: (config): the root is not a directory.
    explicit StaticFiles(StaticFilesOptions options);

    /// Fills in the response and returns true if there is such a file. "/dir/" means
    /// "/dir/index.html", and "/dir" is sent there. Without permission to read it the answer is
    /// 403, to other methods 405. Hidden files (see name_asked_for) are not there.
    [[nodiscard]] bool answer(const httplib::Request& request, httplib::Response& response) const;

  private:
    class Exchange;
    StaticFilesOptions options_;
};

}  // namespace handoverd
