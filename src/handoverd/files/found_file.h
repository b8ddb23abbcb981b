// SPDX-License-Identifier: MIT
#pragma once

#include "handover/unique_fd.h"

#include <sys/stat.h>

#include <string>

namespace handoverd {

/// What has a name below a directory: found, and not yet opened for anything. See open_beneath.
class FoundFile {
  public:
    /// Empty if there is no such name, and errno says why.
    FoundFile(const handover::UniqueFd& root, const std::string& name);

    [[nodiscard]] bool exists() const { return static_cast<bool>(place_); }
    [[nodiscard]] bool is_regular() const { return exists() && S_ISREG(status_.st_mode); }
    [[nodiscard]] bool is_directory() const { return exists() && S_ISDIR(status_.st_mode); }
    [[nodiscard]] bool is_older_than(const FoundFile& other) const;

    /// For reading, by way of the place that was found, so it is no other file than the one that
    /// was looked at. Empty, and errno says why.
    [[nodiscard]] handover::UniqueFd open() const;

  private:
    handover::UniqueFd place_;
    struct stat status_ {};
};

}  // namespace handoverd
