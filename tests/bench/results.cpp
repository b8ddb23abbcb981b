// SPDX-License-Identifier: MIT
#include "bench/results.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace handover::bench {

Spread spread_of(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t middle = values.size() / 2;
    const double median =
        values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    return {median, values.front(), values.back()};
}

void Results::add(const std::string& measurement, const std::string& server, const Sample& sample) {
    for (const auto& [quantity, value] : sample)
        values_[measurement][server][quantity].push_back(value);
}

std::vector<std::string> Results::servers_in(const std::string& measurement) const {
    const auto found = values_.find(measurement);
    std::vector<std::string> present;
    if (found == values_.end()) return present;
    for (const auto& server : servers_)
        if (found->second.count(server) > 0) present.push_back(server);
    return present;
}

std::optional<Spread> Results::spread(const std::string& measurement, const std::string& server,
                                      const std::string& quantity) const {
    const auto of_measurement = values_.find(measurement);
    if (of_measurement == values_.end()) return std::nullopt;
    const auto of_server = of_measurement->second.find(server);
    if (of_server == of_measurement->second.end()) return std::nullopt;
    const auto values = of_server->second.find(quantity);
    if (values == of_server->second.end()) return std::nullopt;
    return spread_of(values->second);
}

nlohmann::json Results::as_json() const {
    return values_;
}

}  // namespace handover::bench
