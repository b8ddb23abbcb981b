// SPDX-License-Identifier: MIT
#pragma once

#include "support/child_process.h"
#include "support/fake_service_manager.h"
#include "support/temporary_directory.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handover::test {

/// A booted systemd in a systemd-nspawn container, for one test.
///
/// It has a network namespace with nothing but loopback, a cgroup of its own (two containers in one
/// cgroup see each other's processes as pid 0 and corrupt each other) and a view of its root file
/// system whose changes are in memory and vanish. It shares no name with any other container. The
/// mounts are made in a mount namespace that goes with the last process, so nothing is left behind
/// even when the test is killed, except an empty cgroup and a directory in TMPDIR.
///
/// Every wait has a deadline; what does not come in time, and what the machine cannot do (not root,
/// no systemd-nspawn), throws std::runtime_error with a sentence. Not thread-safe.
class Container {
  public:
    using milliseconds = std::chrono::milliseconds;

    /// Boots, and returns when systemd says that all of its start jobs are done.
    explicit Container(const std::filesystem::path& root_file_system);
    /// Kills everything in the container at once.
    ~Container();
    Container(const Container&) = delete;
    Container& operator=(const Container&) = delete;

    /// Ends all of user space but for init, which starts anew; returns when that has booted.
    /// Needs systemd 254.
    void soft_reboot();

    /// Stops its init, which answers nobody then, until resume() or the end of the container.
    void pause() const;
    void resume() const;

    /// Runs a shell command in all of the container's namespaces.
    Finished run(const std::string& command, milliseconds within = std::chrono::seconds(60)) const;
    /// The same, expected to succeed: returns its output, throws with its errors otherwise.
    std::string output_of(const std::string& command) const;
    /// The same, left running.
    [[nodiscard]] ChildProcess spawn(const std::string& command) const;
    /// A program of the host's, in the container's network namespace only. Its pid is the
    /// program's.
    [[nodiscard]] ChildProcess spawn_in_network(const std::vector<std::string>& argv) const;

    /// A shell command on the host's files, but with the container's numbers of processes.
    void run_among_processes(const std::string& command) const;

    /// Where an absolute path of the container is found from outside.
    [[nodiscard]] std::filesystem::path outside(const std::filesystem::path& path) const;
    /// Writes beside it and renames, as dpkg does: a program that runs from `path` keeps its inode.
    void write_file(const std::filesystem::path& path, std::string_view text,
                    std::filesystem::perms mode = std::filesystem::perms(0644)) const;
    /// The same with the content and mode of a file of the host's.
    void copy_in(const std::filesystem::path& file, const std::filesystem::path& path) const;
    [[nodiscard]] std::string read_file(const std::filesystem::path& path) const;

    /// As systemctl show --value prints it.
    [[nodiscard]] std::string property(const std::string& unit, const std::string& name) const;
    /// As seen inside the container; 0 when there is none.
    [[nodiscard]] pid_t main_pid(const std::string& unit) const;
    /// What has been logged until now. Empty for the name of the unit: everybody's, with what the
    /// journal could not attribute because its process ended at once.
    [[nodiscard]] std::string journal(const std::string& unit = "") const;

    [[nodiscard]] milliseconds boot_time() const noexcept { return boot_time_; }

  private:
    void start(const std::filesystem::path& root_file_system);
    void await_boot();
    std::string describe_console() const;

    TemporaryDirectory directory_;
    std::string name_;
    std::filesystem::path cgroup_;
    // What nspawn says, and init through it. Both stop to work when nobody reads what they say.
    FakeServiceManager listener_;
    std::optional<ChildProcess> nspawn_;
    pid_t leader_ = 0;  // the container's init, as seen from outside
    milliseconds boot_time_{0};
};

}  // namespace handover::test
