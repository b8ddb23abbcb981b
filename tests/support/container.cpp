// SPDX-License-Identifier: MIT
#include "support/container.h"

#include "support/file_content.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace handover::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr auto boot_deadline = seconds(60);
constexpr auto death_deadline = seconds(20);

// $1 cgroup, $2 directory, $3 root file system, $4 machine name. systemd brings lo up by itself.
// --notify-ready: nspawn passes on the READY=1 with which systemd reports the end of its boot. With
// bpf(2) it has what it needs for IPAddressDeny= and DevicePolicy=; it goes on without otherwise.
constexpr auto boot_script = R"(
    echo $$ >"$1/cgroup.procs"
    mkdir "$2/view"
    mount -t tmpfs tmpfs "$2/view"
    mkdir "$2/view/upper" "$2/view/work" "$2/view/root"
    mount -t overlay overlay \
        -o "lowerdir=$3,upperdir=$2/view/upper,workdir=$2/view/work" "$2/view/root"
    exec systemd-nspawn --quiet --directory="$2/view/root" --machine="$4" --boot --register=no \
        --keep-unit --private-network --notify-ready=yes --console=pipe \
        --capability=CAP_BPF --system-call-filter=bpf \
        </dev/null >"$2/console" 2>&1
)";

/// Where the unified hierarchy is: /sys/fs/cgroup, or /sys/fs/cgroup/unified beside version 1.
fs::path cgroup2_mount() {
    std::ifstream mounts("/proc/self/mountinfo");
    for (std::string line; std::getline(mounts, line);) {
        if (line.find(" - cgroup2 ") == std::string::npos) continue;
        std::istringstream fields(line);
        std::string skipped;
        std::string path;
        fields >> skipped >> skipped >> skipped >> skipped >> path;
        return path;
    }
    throw std::runtime_error(
        "no cgroup2 file system is mounted: systemd cannot run in a container");
}

std::string unique_name() {
    static std::atomic<int> count = 0;
    return "handover-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

/// Kills what is in the cgroup, waits until it is empty and removes it with all below.
void remove_cgroup(const fs::path& cgroup) {
    std::ofstream(cgroup / "cgroup.kill") << "1";
    const auto deadline = Clock::now() + death_deadline;
    const UniqueFd events(::open((cgroup / "cgroup.events").c_str(), O_RDONLY | O_CLOEXEC));
    while (Clock::now() < deadline) {
        std::array<char, 256> text{};
        if (::pread(events.get(), text.data(), text.size() - 1, 0) <= 0) break;
        if (std::string_view(text.data()).find("populated 1") == std::string_view::npos) break;
        // cgroup.events raises POLLPRI when it has changed since it was read.
        pollfd change{events.get(), POLLPRI, 0};
        ::poll(&change, 1, 1000);
    }
    std::vector<fs::path> below{cgroup};
    std::error_code ignored;
    for (const auto& entry : fs::recursive_directory_iterator(cgroup, ignored))
        if (entry.is_directory()) below.push_back(entry.path());
    std::sort(below.rbegin(), below.rend());
    for (const auto& path : below) ::rmdir(path.c_str());
}

}  // namespace

Container::Container(const fs::path& root_file_system) : name_(unique_name()) {
    if (::geteuid() != 0)
        throw std::runtime_error("tests under a real systemd need to be run as root");
    if (!run_command({"sh", "-c", "command -v systemd-nspawn"}, seconds(10)).ok())
        throw std::runtime_error(
            "tests under a real systemd need systemd-nspawn (systemd-container)");
    cgroup_ = cgroup2_mount() / name_;
    fs::create_directory(cgroup_);
    try {
        start(root_file_system);
    } catch (...) {
        nspawn_.reset();
        remove_cgroup(cgroup_);
        throw;
    }
}

Container::~Container() {
    // The end of init takes the whole pid namespace with it; nspawn then tidies up after itself.
    if (leader_ > 0) ::kill(leader_, SIGKILL);
    try {
        (void)nspawn_->wait(death_deadline);
        nspawn_.reset();
        remove_cgroup(cgroup_);
    } catch (const std::exception&) {  // a destructor has nobody to tell
    }
}

void Container::start(const fs::path& root_file_system) {
    const auto began = Clock::now();
    // When the test dies, nspawn and with it the container go too (PR_SET_PDEATHSIG).
    nspawn_.emplace(
        std::vector<std::string>{"setpriv", "--pdeathsig", "KILL", "unshare", "--mount",
                                 "--propagation", "private", "sh", "-euc", boot_script, "boot",
                                 cgroup_, directory_.path(), root_file_system, name_},
        ChildProcess::Environment{{"NOTIFY_SOCKET", listener_.address()},
                                  {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "1"}});
    await_boot();
    boot_time_ = std::chrono::duration_cast<milliseconds>(Clock::now() - began);
}

void Container::soft_reboot() {
    listener_.forget_messages();
    output_of("systemctl soft-reboot");
    await_boot();
}

void Container::await_boot() {
    const auto deadline = Clock::now() + boot_deadline;
    while (!listener_.wait_for_message([](const auto& message) { return message.says("READY=1"); },
                                       milliseconds(100))) {
        if (const auto ended = nspawn_->wait(milliseconds(0)))
            throw std::runtime_error("the container ended while it booted: " + ended->err +
                                     describe_console());
        if (Clock::now() > deadline)
            throw std::runtime_error("the container did not boot in time: " + describe_console());
    }
    // Of a boot, not of a soft-reboot, nspawn says first which process is its init.
    for (const auto& message : listener_.messages())
        if (const auto pid = message.value("X_NSPAWN_LEADER_PID"))
            leader_ = static_cast<pid_t>(std::stol(*pid));
}

void Container::pause() const {
    // Only from outside: a namespace's init takes no such signal from within (pid_namespaces(7)).
    ::kill(leader_, SIGSTOP);
}

void Container::resume() const {
    ::kill(leader_, SIGCONT);
}

std::string Container::describe_console() const {
    return content_if_any(directory_ / "console").value_or("");
}

ChildProcess Container::spawn(const std::string& command) const {
    return ChildProcess({"nsenter", "--target", std::to_string(leader_), "--all", "env", "-i",
                         "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "SYSTEMD_COLORS=0",
                         "SYSTEMD_PAGER=", "sh", "-c", command});
}

Finished Container::run(const std::string& command, milliseconds within) const {
    ChildProcess child = spawn(command);
    child.close_stdin();
    if (auto finished = child.wait(within)) return *finished;
    throw std::runtime_error("not done in " + std::to_string(within.count()) + " ms: " + command +
                             "\n" + child.out() + child.err());
}

std::string Container::output_of(const std::string& command) const {
    const Finished finished = run(command);
    if (!finished.ok())
        throw std::runtime_error(command + ": exit status " + std::to_string(finished.exit_status) +
                                 ": " + finished.err);
    return finished.text();
}

ChildProcess Container::spawn_in_network(const std::vector<std::string>& argv) const {
    std::vector<std::string> command{"nsenter", "--target", std::to_string(leader_), "--net"};
    command.insert(command.end(), argv.begin(), argv.end());
    return ChildProcess(command);
}

void Container::run_among_processes(const std::string& command) const {
    const auto finished = run_command(
        {"nsenter", "--target", std::to_string(leader_), "--pid", "sh", "-euc", command},
        seconds(10));
    if (!finished.ok()) throw std::runtime_error(command + ": " + finished.err);
}

fs::path Container::outside(const fs::path& path) const {
    return "/proc/" + std::to_string(leader_) + "/root" + path.string();
}

void Container::write_file(const fs::path& path, std::string_view text, fs::perms mode) const {
    const fs::path target = outside(path);
    const fs::path temporary = target.string() + ".new";
    fs::create_directories(target.parent_path());
    {
        std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
        file << text;
        if (!file.flush()) throw std::runtime_error("cannot write " + temporary.string());
    }
    fs::permissions(temporary, mode);
    fs::rename(temporary, target);
}

void Container::copy_in(const fs::path& file, const fs::path& path) const {
    write_file(path, content_of(file), fs::status(file).permissions());
}

std::string Container::read_file(const fs::path& path) const {
    return content_of(outside(path));
}

std::string Container::property(const std::string& unit, const std::string& name) const {
    return output_of("systemctl show --value --property=" + name + " " + unit);
}

pid_t Container::main_pid(const std::string& unit) const {
    return static_cast<pid_t>(std::stol(property(unit, "MainPID")));
}

std::string Container::journal(const std::string& unit) const {
    return output_of("journalctl --sync; journalctl --no-pager --quiet --output=short-monotonic" +
                     (unit.empty() ? "" : " --unit=" + unit));
}

}  // namespace handover::test
