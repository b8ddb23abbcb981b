// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace handover {

/// Some of an enum's values, for a row of a table that is about several. The enum has at most 32
/// values, numbered from 0.
template <typename Enum>
class EnumSet {
  public:
    constexpr EnumSet(Enum one) : bits_(std::uint32_t{1} << static_cast<unsigned>(one)) {}
    friend constexpr EnumSet operator|(EnumSet left, EnumSet right) {
        left.bits_ |= right.bits_;
        return left;
    }
    [[nodiscard]] constexpr bool contains(Enum one) const {
        return (bits_ & EnumSet(one).bits_) != 0;
    }

  private:
    std::uint32_t bits_;
};

}  // namespace handover
