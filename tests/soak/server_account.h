// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace handover::test {

/// What the generations of the server said of themselves in its log, added up.
class ServerAccount {
  public:
    /// A piece of the log, whole lines. Throws std::runtime_error if the account that a generation
    /// gives at its end does not add up.
    void read(std::string_view log);

    /// Generations that began to serve, and that came to their end by themselves.
    [[nodiscard]] std::int64_t begun() const { return begun_; }
    [[nodiscard]] std::int64_t ended() const { return ended_; }
    /// Connections that the latter held when they began to drain, or accepted after it.
    [[nodiscard]] std::int64_t open() const { return held_; }
    /// What became of them: by "moved", "closed by client".
    [[nodiscard]] const std::map<std::string, std::int64_t>& close_reasons() const {
        return close_reasons_;
    }
    /// "held 66 = 64 moved + 2 closed by client".
    [[nodiscard]] std::string to_sentence() const;

  private:
    void read_line(std::string_view line);
    void add(std::string_view sentence);

    std::int64_t begun_ = 0;
    std::int64_t ended_ = 0;
    std::int64_t held_ = 0;
    std::map<std::string, std::int64_t> close_reasons_;
};

}  // namespace handover::test
