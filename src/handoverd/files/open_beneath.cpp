// SPDX-License-Identifier: MIT
#include "handoverd/files/open_beneath.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <utility>
#include <vector>

namespace handoverd {
namespace {

using handover::UniqueFd;

/// As many as the kernel follows (path_resolution(7)).
constexpr int links_max = 40;

UniqueFd fail(int error) {
    errno = error;
    return UniqueFd();
}

/// Empty, and errno says why.
std::string target_of(const UniqueFd& link) {
    std::array<char, PATH_MAX> text;
    const auto length = ::readlinkat(link.get(), "", text.data(), text.size());
    if (length <= 0) return {};
    return {text.data(), static_cast<std::size_t>(length)};
}

class Walk {
  public:
    Walk(const UniqueFd& directory, std::string name) : top_(directory), rest_(std::move(name)) {}

    UniqueFd go() {
        while (rest_.size() < PATH_MAX) {
            const auto part = next_part();
            const bool stays = part.empty() || part == ".";
            const bool goes_back = part == "..";
            if (goes_back && !go_back()) return fail(EXDEV);
            if ((stays || goes_back) && last_) return fail(ENOENT);
            if (stays || goes_back) continue;
            UniqueFd found(
                ::openat(here(), part.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY));
            struct stat status {};
            if (!found || ::fstat(found.get(), &status) != 0) return UniqueFd();
            if (S_ISLNK(status.st_mode)) {
                if (!follow(found)) return UniqueFd();
            } else if (last_) {
                return found;
            } else if (S_ISDIR(status.st_mode)) {
                entered_.push_back(std::move(found));
            } else {
                return fail(ENOTDIR);
            }
        }
        return fail(ENAMETOOLONG);
    }

  private:
    [[nodiscard]] int here() const { return entered_.empty() ? top_.get() : entered_.back().get(); }

    std::string next_part() {
        const auto slash = rest_.find('/');
        last_ = slash == std::string::npos;
        auto part = rest_.substr(0, slash);
        rest_.erase(0, last_ ? slash : slash + 1);
        return part;
    }

    bool go_back() {
        if (entered_.empty()) return false;
        entered_.pop_back();
        return true;
    }

    /// Puts the target in the link's place.
    bool follow(const UniqueFd& link) {
        auto target = target_of(link);
        if (target.empty()) return false;
        if (target.front() == '/' || ++links_ > links_max) {
            errno = target.front() == '/' ? EXDEV : ELOOP;
            return false;
        }
        if (!last_) target += '/' + rest_;
        rest_ = std::move(target);
        return true;
    }

    const UniqueFd& top_;
    std::vector<UniqueFd> entered_;
    std::string rest_;
    bool last_ = false;
    int links_ = 0;
};

}  // namespace

UniqueFd open_beneath(const UniqueFd& directory, const std::string& name) {
    return Walk(directory, name).go();
}

}  // namespace handoverd
