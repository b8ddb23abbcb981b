// SPDX-License-Identifier: MIT
#pragma once

#include "support/child_process.h"
#include "support/container.h"
#include "support/counting_client.h"
#include "support/load_report.h"
#include "support/processes.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace handover::test {

/// Which systemd, and whether handoverd.socket holds the listeners or the service binds them.
struct Setting {
    std::string suite;
    bool socket_unit = false;
    std::vector<std::string> packages = {};  ///< to be installed beside it
};
std::ostream& operator<<(std::ostream& out, const Setting& setting);
/// Every release under test.
[[nodiscard]] std::vector<std::string> all_suites();
/// "bookworm_backports"
[[nodiscard]] std::string name_of_suite(std::string suite);
/// Every release under test, with and without the socket unit.
[[nodiscard]] std::vector<Setting> all_settings();
/// "bookworm_with_socket_unit"
[[nodiscard]] std::string name_of(const Setting& setting);
[[nodiscard]] std::string name_of_parameter(const testing::TestParamInfo<Setting>& test);

/// Who answered a single request.
struct Answer {
    long generation = 0;
    pid_t pid = 0;
};

/// A new binary that is no good, and what the reason must contain, with --ready-timeout 2s.
struct BinaryFault {
    std::string name;
    std::string content;  ///< empty: there is none
    std::filesystem::perms mode = std::filesystem::perms(0755);
    std::string reason;
};
std::ostream& operator<<(std::ostream& out, const BinaryFault& fault);
[[nodiscard]] const std::vector<BinaryFault>& binary_faults();

/// handoverd as apt has installed it in that release, in a fresh container of its own, started, and
/// ready for clients on TCP 9999 (4 and 6) and on a unix socket.
class ServiceUnderLoad : public testing::Test {
  protected:
    using milliseconds = std::chrono::milliseconds;

    /// `options` are added to the ExecStart= of the unit.
    void boot(const Setting& setting, const std::string& options = "");
    /// All options come from a configuration file, of these lines; see configure().
    void boot_configured(const Setting& setting, const std::string& lines);
    /// A container of this root, with nothing installed and nothing started.
    void boot_empty(const std::filesystem::path& root) { container_.emplace(root); }
    void TearDown() override;

    [[nodiscard]] Container& container() { return *container_; }
    Finished systemctl(const std::string& verb_and_unit) const;
    /// systemctl reload, expected to succeed. Returns how long it took.
    milliseconds reload() const;
    [[nodiscard]] pid_t main_pid() const { return container_->main_pid("handoverd.service"); }
    /// Waits until the probation of that process is over.
    [[nodiscard]] bool becomes_main(pid_t pid) const;
    [[nodiscard]] std::string property(const std::string& name) const {
        return container_->property("handoverd.service", name);
    }

    /// Clients of every kind at a fixed rate, all of them answered at least once: a connection per
    /// request and keep-alive, TCP 4, TCP 6 and unix, GET and POST. Each has up to
    /// `connections_of_each` at a time; `options` are for all of them.
    [[nodiscard]] std::vector<Load> start_everybody(
        const std::vector<std::string>& options = {}) const;
    static constexpr int connections_of_each = 8;
    /// A counting client in the container's network.
    [[nodiscard]] Load start_load(const std::string& name, const std::string& target,
                                  const std::vector<std::string>& options = {}) const;
    /// Connections in the container's network that stand idle; each has been answered once.
    [[nodiscard]] IdleConnections start_idle(const std::string& target,
                                             std::size_t connections) const;
    /// `count` requests whose handler sleeps; returns when the service has accepted them all.
    [[nodiscard]] Load start_slow_requests(int count, const std::string& sleep) const;
    /// One request on a connection of its own; throws when it is not answered.
    [[nodiscard]] Answer ask() const;

    static void await_answers(std::vector<Load>& clients, int count);
    /// Stops them all and expects that no request of any client was lost, refused or reset, and
    /// that every connection that was meant to stay did. Returns what each of them has counted.
    static std::vector<LoadReport> expect_nothing_lost(std::vector<Load>& clients);
    /// What it counted goes to the output of the test too, whether it fails or not.
    static LoadReport stop_and_print(Load& client);

    /// Sends a signal to processes of the container, which must be there.
    void kill(const std::vector<pid_t>& pids, const std::string& signal = "KILL") const;

    /// A drop-in of that name with these lines, which systemd has not read yet.
    void add_drop_in(const std::string& name, const std::string& lines) const;
    /// Of ExecStart=: the usual listeners, and these options.
    [[nodiscard]] std::string arguments(const std::string& options) const;

    /// Makes the next generation's configuration file of these lines, and listens there too.
    void configure(const std::string& lines, const std::string& also_listen = "") const;
    /// Replaces the program as a package upgrade does.
    void install_good_binary() const;
    void install_binary(const std::string& content, std::filesystem::perms mode) const;
    void break_binary(const BinaryFault& fault) const;

    static constexpr auto unit = "handoverd.service";
    static constexpr auto program = "/usr/bin/handoverd";
    static constexpr auto tcp4 = "127.0.0.1:9999";
    static constexpr auto tcp6 = "[::1]:9999";
    [[nodiscard]] std::string unix_target() const;

    /// A file of the examples that the package has, as a drop-in that systemd has not read yet.
    void add_example(const std::string& file) const;
    /// Another program that was built for this release, under the name "/usr/bin/<name>".
    void install_helper(const std::string& name) const;

  private:
    void make_container(const Setting& setting);
    void start(const Setting& setting, const std::string& arguments) const;
    void configure_units(const Setting& setting, const std::string& arguments) const;

    std::string suite_;
    std::filesystem::path root_;  // in which it is installed
    std::filesystem::path unix_path_;
    std::optional<Container> container_;
};

/// For tests that need nothing but a setting.
class ServiceInSetting : public ServiceUnderLoad, public testing::WithParamInterface<Setting> {
  protected:
    void SetUp() override { boot(GetParam()); }
};

}  // namespace handover::test
