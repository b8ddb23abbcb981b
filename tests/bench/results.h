// SPDX-License-Identifier: MIT
#pragma once

#include "bench/measurements.h"

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace handover::bench {

/// The server that is compared with the others.
constexpr auto ours = "handoverd";

/// Of one number, as a rule over all rounds.
struct Spread {
    double median = 0;
    double min = 0;
    double max = 0;
};

/// Of at least one value.
[[nodiscard]] Spread spread_of(std::vector<double> values);

/// All samples of a run. Servers stay in the order in which they were named.
class Results {
  public:
    explicit Results(std::vector<std::string> servers) : servers_(std::move(servers)) {}

    void add(const std::string& measurement, const std::string& server, const Sample& sample);

    [[nodiscard]] const std::vector<std::string>& servers() const noexcept { return servers_; }
    /// Those that have at least one sample of this measurement.
    [[nodiscard]] std::vector<std::string> servers_in(const std::string& measurement) const;
    /// nullopt: this number was not measured on this server.
    [[nodiscard]] std::optional<Spread> spread(const std::string& measurement,
                                               const std::string& server,
                                               const std::string& quantity) const;
    /// Every single value, for whoever wants to look closer.
    [[nodiscard]] nlohmann::json as_json() const;

  private:
    using Values = std::map<std::string, std::vector<double>>;  // by quantity

    std::vector<std::string> servers_;
    std::map<std::string, std::map<std::string, Values>> values_;  // by measurement, server
};

}  // namespace handover::bench
