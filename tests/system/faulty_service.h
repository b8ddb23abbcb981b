// SPDX-License-Identifier: MIT
#pragma once

#include "handover/unique_fd.h"
#include "system/service_under_load.h"

#include <chrono>
#include <cstddef>
#include <iosfwd>
#include <string>
#include <vector>

namespace handover::test {

/// What a service has and must not lose or pile up.
struct Belongings {
    std::size_t processes = 0;    ///< in its cgroup
    std::size_t stored = 0;       ///< descriptors in the fd store
    std::size_t descriptors = 0;  ///< of the main process

    bool operator==(const Belongings&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Belongings& belongings);

/// The service under load as the rows of the fault table see it: what they do to it, and what they
/// expect while they do.
class FaultyService : public ServiceUnderLoad {
  public:
    using ServiceUnderLoad::ask;
    using ServiceUnderLoad::becomes_main;
    using ServiceUnderLoad::break_binary;
    using ServiceUnderLoad::configure;
    using ServiceUnderLoad::container;
    using ServiceUnderLoad::install_binary;
    using ServiceUnderLoad::install_good_binary;
    using ServiceUnderLoad::install_helper;
    using ServiceUnderLoad::kill;
    using ServiceUnderLoad::main_pid;
    using ServiceUnderLoad::program;
    using ServiceUnderLoad::property;
    using ServiceUnderLoad::reload;
    using ServiceUnderLoad::start_idle;
    using ServiceUnderLoad::start_load;
    using ServiceUnderLoad::start_slow_requests;
    using ServiceUnderLoad::systemctl;
    using ServiceUnderLoad::tcp4;
    using ServiceUnderLoad::unit;

    /// Boots with these lines of configuration.
    void boot(const Setting& setting, const std::string& configuration);
    void start_clients();
    [[nodiscard]] std::vector<Load>& clients() noexcept { return clients_; }
    /// So many more for each of the clients.
    void await_answers(int count) { ServiceUnderLoad::await_answers(clients_, count); }
    [[nodiscard]] Belongings belongings();
    /// The descriptors of the main process, one in a line.
    [[nodiscard]] std::string list_descriptors();

    // ---- successors

    /// These commands of a shell in place of the program.
    void install_script(const std::string& commands) const;
    /// A successor that waits, before anything else, until it is let go; then it is a good one. The
    /// program in place is good again as soon as it waits.
    [[nodiscard]] ChildProcess start_reload_that_waits();
    void let_successor_go() { gate_.reset(); }
    /// What it was before: the program and the configuration.
    void repair() const;

    // ---- reloads that fail

    /// Fails soon, says why, and leaves the old generation in its place.
    void expect_failed_reload(const std::string& reason);
    /// The same where nobody can ask but by a signal.
    void expect_failed_reload_by_signal(const std::string& reason);

    // ---- deaths

    /// Waits until systemd has started the service anew so many times in all, and it answers.
    void await_restarts(int count);

  private:
    void expect_reason_everywhere(const std::string& reason);

    std::string configuration_;
    std::vector<Load> clients_;
    UniqueFd gate_;  ///< as long as it is open, the successor waits
};

}  // namespace handover::test
