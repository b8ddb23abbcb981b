// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace handoverd {

/// What --cache-control says, given once or more:
///
///     no-cache                              for all files
///     .woff2=max-age=31536000, immutable    for those whose name ends so
///     /assets/=max-age=31536000, immutable  for those whose path begins so
///
/// The first rule that fits a file counts; one for all comes after the others, wherever it stands.
class CacheControl {
  public:
    /// Throws std::invalid_argument which says why: a rule that cannot be a Cache-Control header.
    explicit CacheControl(const std::vector<std::string>& rules = {});

    /// For the file of this name below the root. Empty: nothing is said, and caches decide.
    [[nodiscard]] const std::string& value_for(std::string_view name) const;

  private:
    struct Rule {
        std::string pattern;  ///< ".woff2", "/assets/", or empty
        std::string value;
    };
    static Rule parse(const std::string& text);

    std::vector<Rule> rules_;
    std::string standard_;
};

}  // namespace handoverd
