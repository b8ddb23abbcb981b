// SPDX-License-Identifier: MIT
#include "handoverd/client/json_fields.h"

#include "handover/printable.h"

#include <algorithm>
#include <iterator>

namespace handoverd {

using nlohmann::json;

namespace {

/// nullptr if there is none.
const json* find(const json& object, const char* field) {
    if (!object.is_object()) return nullptr;
    const auto found = object.find(field);
    return found == object.end() ? nullptr : &*found;
}

}  // namespace

std::string text_in(const json& object, const char* field) {
    const auto* value = find(object, field);
    return value && value->is_string() ? handover::printable(value->get_ref<const std::string&>())
                                       : std::string();
}

std::optional<std::int64_t> number_in(const json& object, const char* field) {
    constexpr std::int64_t exact = std::int64_t{1} << 53;
    const auto* value = find(object, field);
    if (!value || !value->is_number_integer()) return std::nullopt;
    if (value->is_number_unsigned() && value->get<std::uint64_t>() > exact) return std::nullopt;
    const auto number = value->get<std::int64_t>();
    return number < -exact || number > exact ? std::nullopt : std::optional(number);
}

std::vector<json> objects_in(const json& object, const char* field) {
    std::vector<json> objects;
    const auto* value = find(object, field);
    if (!value || !value->is_array()) return objects;
    std::copy_if(value->begin(), value->end(), std::back_inserter(objects),
                 [](const json& element) { return element.is_object(); });
    return objects;
}

}  // namespace handoverd
