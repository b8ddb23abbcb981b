// SPDX-License-Identifier: MIT
#pragma once

#include "handoverd/config/options.h"

#include <nlohmann/json.hpp>

#include <httplib.h>

#include <optional>
#include <string>

namespace handoverd {

/// A client for the admin listener that the options name.
[[nodiscard]] httplib::Client admin_client(const Options& options);

/// The JSON object in an answer; if there is none, `fault` says why, in a sentence for people.
[[nodiscard]] std::optional<nlohmann::json> answer_in(const httplib::Result& result,
                                                      const Options& options, std::string& fault);

}  // namespace handoverd
