// SPDX-License-Identifier: MIT
#include "handoverd/files/content_coding.h"

#include "http/ascii.h"

#include <algorithm>

namespace handoverd {
namespace {

using handover::http::equal_ignoring_case;
using handover::http::trim;

constexpr int full_weight = 1000;

/// "0.25" is 250: a 0 or a 1, and up to three digits.
int parse_weight(std::string_view text) {
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return 0;
    if (text.size() > 1 && text[1] != '.') return 0;
    int weight = text[0] == '1' ? full_weight : 0;
    int place = full_weight / 10;
    for (std::size_t i = 2; i < text.size(); ++i, place /= 10) {
        if (text[i] < '0' || text[i] > '9') return 0;
        weight += place * (text[i] - '0');
    }
    return weight > full_weight ? 0 : weight;
}

/// Of the parameters after a coding; the only one that there is.
int weight_in(std::string_view parameters) {
    parameters = trim(parameters);
    if (parameters.empty()) return full_weight;
    const auto equals = parameters.find('=');
    if (equals == std::string_view::npos || !equal_ignoring_case(parameters.substr(0, equals), "q"))
        return 0;
    return parse_weight(parameters.substr(equals + 1));
}

/// The one that the client would rather have counts if a coding is named twice.
void raise(std::optional<int>& weight, int to) {
    weight = std::max(weight.value_or(0), to);
}

}  // namespace

AcceptedCodings::AcceptedCodings(const std::optional<std::string>& header) {
    if (!header) return;
    for (std::string_view rest = *header; !rest.empty();) {
        const auto comma = std::min(rest.find(','), rest.size());
        const auto element = rest.substr(0, comma);
        rest.remove_prefix(std::min(comma + 1, rest.size()));
        const auto semicolon = std::min(element.find(';'), element.size());
        auto name = trim(element.substr(0, semicolon));
        if (equal_ignoring_case(name, "x-gzip")) name = "gzip";
        const int weight = weight_in(element.substr(std::min(semicolon + 1, element.size())));
        if (name == "*") raise(others_, weight);
        if (equal_ignoring_case(name, "identity")) raise(identity_, weight);
        for (std::size_t i = 0; i < content_codings.size(); ++i)
            if (equal_ignoring_case(name, content_codings[i].name)) raise(weights_[i], weight);
    }
}

int AcceptedCodings::weight(const ContentCoding& coding) const {
    for (std::size_t i = 0; i < content_codings.size(); ++i)
        if (content_codings[i].name == coding.name)
            return weights_[i].value_or(others_.value_or(0));
    return 0;
}

/// Who does not mention it takes it, but would rather have what he asks for.
int AcceptedCodings::plain_weight() const {
    if (identity_) return *identity_;
    return others_ == 0 ? 0 : 1;
}

}  // namespace handoverd
