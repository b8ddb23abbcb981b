// SPDX-License-Identifier: MIT
#pragma once

#include "support/child_process.h"
#include "support/container.h"

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace handover::bench {

/// Where the servers come from.
struct Programs {
    std::filesystem::path root;       ///< a root file system with the peers' packages
    std::filesystem::path handoverd;  ///< as that release's package has it
    std::filesystem::path stock_httplib;
    std::filesystem::path go_server;  ///< empty: no such server
};

struct InstalledFile {
    std::filesystem::path from;  ///< on this machine
    std::filesystem::path to;    ///< in the container
};

/// One row of the report: a server, and how it is reloaded. All serve "hello world\n" on port 9999.
struct ServerKind {
    std::string name;
    std::string unit;
    std::vector<InstalledFile> files;
    std::string service_settings = {};    ///< lines added to the [Service] section
    std::string socket_unit = {};         ///< started together with the service
    std::string get_path = "/hello";      ///< the fastest way to a tiny response
    bool reloads = true;                  ///< has a reload that means to lose nothing
    bool differs_in_reload_only = false;  ///< from the one before it
    bool holds_idle_connections = true;   ///< thousands of them
};

/// handoverd first, then its peers.
[[nodiscard]] std::vector<ServerKind> all_servers(const Programs& programs);

/// A server in a container of its own: booted, installed, and started with `systemctl start`. It
/// runs on one core and leaves the others to the clients. Throws when it does not answer.
class Server {
  public:
    using milliseconds = std::chrono::duration<double, std::milli>;

    Server(const std::filesystem::path& root, const ServerKind& kind);

    [[nodiscard]] const ServerKind& kind() const noexcept { return kind_; }
    [[nodiscard]] const test::Container& container() const noexcept { return container_; }

    /// From `systemctl start` to the first answer.
    [[nodiscard]] milliseconds start_to_ready() const noexcept { return start_to_ready_; }

    /// `systemctl VERB` for its unit, as an operator types it. Its failure is a result too.
    [[nodiscard]] test::Finished systemctl(const std::string& verb) const;

    /// CPU time of all processes that the unit has had since it was started.
    [[nodiscard]] double cpu_seconds() const;
    /// Memory of all its processes; what they share counts once.
    [[nodiscard]] double memory_mib() const;

  private:
    void install() const;
    void start();
    [[nodiscard]] std::string cgroup() const;

    ServerKind kind_;
    test::Container container_;
    milliseconds start_to_ready_{0};
};

}  // namespace handover::bench
