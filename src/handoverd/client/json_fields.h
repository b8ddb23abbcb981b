// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace handoverd {

/// What somebody else has put into a JSON object, to be shown to people. A field that is missing is
/// as good as one of a type that makes no sense: whoever answers may be older than we are, newer,
/// or no handoverd at all.

/// The text of a field, printable(); empty if there is none.
[[nodiscard]] std::string text_in(const nlohmann::json& object, const char* field);
/// The whole number of a field, if it is exact in every JSON (up to 2^53), so that sums of a few do
/// not overflow.
[[nodiscard]] std::optional<std::int64_t> number_in(const nlohmann::json& object,
                                                    const char* field);
/// The objects in an array; empty if there are none.
[[nodiscard]] std::vector<nlohmann::json> objects_in(const nlohmann::json& object,
                                                     const char* field);

}  // namespace handoverd
