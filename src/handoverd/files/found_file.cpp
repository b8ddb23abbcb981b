// SPDX-License-Identifier: MIT
#include "handoverd/files/found_file.h"

#include "handoverd/files/open_beneath.h"

#include <fcntl.h>

#include <tuple>

namespace handoverd {

using handover::UniqueFd;

FoundFile::FoundFile(const UniqueFd& root, const std::string& name)
    : place_(root ? open_beneath(root, name) : UniqueFd()) {
    if (place_ && ::fstat(place_.get(), &status_) != 0) place_ = UniqueFd();
}

bool FoundFile::is_older_than(const FoundFile& other) const {
    const auto time = [](const struct stat& status) {
        return std::tuple(status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    };
    return time(status_) < time(other.status_);
}

UniqueFd FoundFile::open() const {
    const auto path = "/proc/self/fd/" + std::to_string(place_.get());
    // Somebody with a lease on the file could let us wait (fcntl(2)).
    return UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
}

}  // namespace handoverd
