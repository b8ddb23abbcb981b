// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json.hpp>

#include <httplib.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace handoverd {

/// Asks the admin listener of a running service. Every request has a connection of its own, so
/// that whichever generation accepts then answers it. Thread-safe.
class AdminClient {
  public:
    /// What the service manager may add to the time that a generation takes.
    static constexpr std::chrono::seconds margin{30};

    /// `endpoint`: as --admin takes it; else throws handover::Error (config). `longest_work`: how
    /// long a generation may take to do what it is asked for; send() waits longer by `margin`.
    AdminClient(std::string endpoint, std::chrono::milliseconds longest_work);

    /// As it was given, for messages.
    [[nodiscard]] const std::string& endpoint() const noexcept { return endpoint_; }

    /// A client that has not connected yet, with the timeouts of httplib.
    [[nodiscard]] httplib::Client connection() const;

    using Request = std::function<httplib::Result(httplib::Client&)>;
    [[nodiscard]] httplib::Result send(const Request& request) const;

    /// Does somebody answer within two seconds?
    [[nodiscard]] bool is_served() const;

    /// The JSON object in an answer; if there is none, `fault` says why, in a sentence for people.
    [[nodiscard]] std::optional<nlohmann::json> answer_in(const httplib::Result& result,
                                                          std::string& fault) const;

  private:
    std::string endpoint_;
    std::chrono::seconds timeout_;
};

}  // namespace handoverd
