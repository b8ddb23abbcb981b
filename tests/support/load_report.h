// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <iosfwd>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace handover::test {

/// What became of one request. Every request has exactly one of these.
enum class Outcome {
    answered,            ///< a complete response, status 200
    answered_otherwise,  ///< a complete response, another status
    refused,             ///< connect: ECONNREFUSED
    connect_failed,      ///< connect: anything else
    reset,               ///< ECONNRESET or EPIPE before a byte of the response
    closed,              ///< end of file before a byte of the response
    partial,             ///< reset or end of file in the middle of the response
    malformed,           ///< what came is not HTTP
    timed_out,           ///< no complete response in time
};

[[nodiscard]] std::string_view name_of(Outcome outcome) noexcept;

/// One request that was not answered with 200, or one connection that the server let go.
struct Incident {
    std::int64_t at_ms = 0;  ///< since the client started
    std::string outcome;
    std::string detail;  ///< what the system said, after how long, on which connection
};

/// What the load client counted. Plain data; goes through JSON between the client and the test.
struct LoadReport {
    std::map<std::string, std::int64_t> outcomes;  ///< by name_of(); a class that is missing is 0
    std::int64_t requests = 0;                     ///< the sum of the outcomes

    /// Of the requests that were neither answered nor refused: those that were the first on their
    /// connection. A client cannot retry these safely and no keep-alive race explains them.
    std::int64_t lost_on_fresh_connection = 0;

    std::int64_t connections_opened = 0;
    std::int64_t reconnects = 0;         ///< opened in place of one that was meant to stay
    std::int64_t closed_while_idle = 0;  ///< closed by the server with no request outstanding
    std::int64_t announced_closes = 0;   ///< responses that said Connection: close unasked

    /// From the due time at a fixed rate, otherwise from send (connect included when it was made
    /// for this request). Answered requests only.
    double p50_ms = 0;
    double p99_ms = 0;
    double p999_ms = 0;
    double max_ms = 0;
    double longest_gap_ms = 0;  ///< the longest time between two answers

    std::map<std::string, std::int64_t> generations;  ///< answers by Handover-Generation
    std::map<std::string, std::int64_t> pids;         ///< answers by Handover-Pid
    std::vector<Incident> examples;                   ///< the first few of each kind

    /// In microseconds, in any order.
    void set_latencies(std::vector<std::uint32_t> latencies);

    [[nodiscard]] std::int64_t count(Outcome outcome) const;
    [[nodiscard]] std::int64_t answered() const { return count(Outcome::answered); }
    /// Requests that were not answered with 200, for whatever reason.
    [[nodiscard]] std::int64_t failed() const { return requests - answered(); }
    /// Refused, or could not connect for another reason.
    [[nodiscard]] std::int64_t not_connected() const {
        return count(Outcome::refused) + count(Outcome::connect_failed);
    }
    /// The highest generation that answered; 0 when none said so.
    [[nodiscard]] std::int64_t last_generation() const;
};

void to_json(nlohmann::json& json, const LoadReport& report);
void from_json(const nlohmann::json& json, LoadReport& report);

/// For messages of failed tests: the counts that are not 0 and the examples.
std::ostream& operator<<(std::ostream& out, const LoadReport& report);

}  // namespace handover::test
