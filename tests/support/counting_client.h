// SPDX-License-Identifier: MIT
#pragma once

#include "handover/endpoint.h"
#include "support/child_process.h"
#include "support/load_report.h"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace handover::test {

/// load_client at work, on this machine or wherever the child was started. What it does not do in
/// time throws std::runtime_error, with its name and what it said.
class Load {
  public:
    /// Here. `options` of load_client. Returns when the first request has been answered.
    Load(const Endpoint& target, const std::vector<std::string>& options);
    /// `client` runs command(). Returns at once.
    Load(ChildProcess client, std::string name);
    [[nodiscard]] static std::vector<std::string> command(const std::string& target,
                                                          const std::vector<std::string>& options);

    /// Returns when that many more requests have been answered.
    void await_answers(int count);
    /// Returns when all of --requests are on their way.
    void await_all_sent();
    /// The outcomes and connections so far, while it goes on.
    LoadReport count();
    /// Sends nothing more, waits for the outstanding answers and reports.
    LoadReport stop();
    /// Waits until all of --requests have an outcome, and reports.
    LoadReport finish();

    [[nodiscard]] const std::string& name() const noexcept { return name_; }

  private:
    [[noreturn]] void fail(const std::string& what) const;

    std::string name_;
    ChildProcess client_;
};

/// idle_client at work, in the same manner. They are closed with the object.
class IdleConnections {
  public:
    /// Here. Returns when all of them stand idle.
    IdleConnections(const Endpoint& target, std::size_t connections,
                    const std::vector<std::string>& options = {});
    /// `client` runs command(). Returns when all of them stand idle.
    IdleConnections(ChildProcess client, std::string name);
    [[nodiscard]] static std::vector<std::string> command(
        const std::string& target, std::size_t connections,
        const std::vector<std::string>& options = {});

    /// One request on each that is open; returns when each has its outcome. `requests` of the
    /// report is how many were asked.
    LoadReport ask();
    /// How many are open.
    [[nodiscard]] int count();
    /// Closes them all.
    void stop();

    [[nodiscard]] const std::string& name() const noexcept { return name_; }

  private:
    [[nodiscard]] nlohmann::json answer_to(const std::string& command);
    [[noreturn]] void fail(const std::string& what) const;

    std::string name_;
    ChildProcess client_;
};

}  // namespace handover::test
