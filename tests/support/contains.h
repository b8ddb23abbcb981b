// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace handover::test {

[[nodiscard]] constexpr bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

}  // namespace handover::test
