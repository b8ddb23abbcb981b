// SPDX-License-Identifier: MIT
#include "system/service_under_load.h"

#include "system/roots.h"

#include <algorithm>
#include <iostream>
#include <sstream>
#include <stdexcept>

namespace handover::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
namespace fs = std::filesystem;

constexpr auto configuration_file = "/etc/handoverd.conf";

/// The value of the first KEY= line of a unit file.
std::string unit_setting(const std::string& unit, const std::string& key) {
    std::istringstream lines(unit);
    for (std::string line; std::getline(lines, line);)
        if (line.rfind(key + "=", 0) == 0) return line.substr(key.size() + 1);
    throw std::runtime_error("the unit has no " + key + "=");
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Setting& setting) {
    return out << name_of(setting);
}

std::string name_of(const Setting& setting) {
    return name_of_suite(setting.suite) +
           (setting.socket_unit ? "_with_socket_unit" : "_without_socket_unit");
}

std::string name_of_parameter(const testing::TestParamInfo<Setting>& test) {
    return name_of(test.param);
}

std::ostream& operator<<(std::ostream& out, const BinaryFault& fault) {
    return out << fault.name;
}

// A script is as good as an ELF here: what counts is what the process does.
const std::vector<BinaryFault>& binary_faults() {
    using fs::perms;
    static const std::vector<BinaryFault> faults{
        {"missing", "", perms(0), "No such file"},
        {"not_executable", "#!/bin/sh\nexit 0\n", perms(0644), "Permission denied"},
        {"not_a_program", "this is not an ELF file\n", perms(0755), "Exec format error"},
        {"exits_0", "#!/bin/sh\nexit 0\n", perms(0755), "exited with status 0"},
        {"exits_1", "#!/bin/sh\nexit 1\n", perms(0755), "exited with status 1"},
        {"segfaults", "#!/bin/sh\nulimit -c 0; kill -SEGV $$\n", perms(0755), "died of SIGSEGV"},
        {"hangs", "#!/bin/sh\nexec sleep 1000\n", perms(0755), "was not ready within 2000 ms"},
    };
    return faults;
}

std::vector<std::string> all_suites() {
    std::vector<std::string> suites;
    std::istringstream list(HANDOVER_TEST_SUITES);
    for (std::string suite; std::getline(list, suite, ',');) suites.push_back(suite);
    return suites;
}

std::string name_of_suite(std::string suite) {
    std::replace(suite.begin(), suite.end(), '-', '_');
    return suite;
}

std::vector<Setting> all_settings() {
    std::vector<Setting> settings;
    for (const auto& suite : all_suites())
        for (const bool socket_unit : {true, false}) settings.push_back({suite, socket_unit});
    return settings;
}

void ServiceUnderLoad::boot(const Setting& setting, const std::string& options) {
    make_container(setting);
    start(setting, arguments(options));
}

std::string ServiceUnderLoad::arguments(const std::string& options) const {
    return "--listen [::]:9999 --listen unix:" + unix_path_.string() + " " + options;
}

void ServiceUnderLoad::boot_configured(const Setting& setting, const std::string& lines) {
    make_container(setting);
    configure(lines);
    start(setting, std::string("--config ") + configuration_file);
}

void ServiceUnderLoad::make_container(const Setting& setting) {
    suite_ = setting.suite;
    root_ = installed_root_of(suite_, setting.packages);
    unix_path_ = setting.socket_unit ? "/run/handoverd-test.sock" : "/run/handoverd/test.sock";
    container_.emplace(root_);
}

void ServiceUnderLoad::start(const Setting& setting, const std::string& arguments) const {
    configure_units(setting, arguments);
    container_->output_of("systemctl daemon-reload");
    if (setting.socket_unit) container_->output_of("systemctl restart handoverd.socket");
    container_->output_of("systemctl start handoverd.service");
}

void ServiceUnderLoad::configure_units(const Setting& setting, const std::string& arguments) const {
    const auto shipped = container_->output_of("systemctl cat handoverd.service");
    add_drop_in("test", "ExecStart=\nExecStart=" + unit_setting(shipped, "ExecStart") + " " +
                            arguments + "\n");
    if (!setting.socket_unit) {
        // The package enables it.
        container_->output_of("systemctl disable --now handoverd.socket");
        return add_example("own-listener.conf");
    }
    container_->write_file("/etc/systemd/system/handoverd.socket.d/test.conf",
                           "[Socket]\nListenStream=" + unix_path_.string() + "\n");
}

void ServiceUnderLoad::add_example(const std::string& file) const {
    container_->output_of(
        "install -D --mode=644 --target-directory=/etc/systemd/system/handoverd.service.d "
        "/usr/share/doc/handoverd/examples/" +
        file);
}

void ServiceUnderLoad::add_drop_in(const std::string& name, const std::string& lines) const {
    container_->write_file("/etc/systemd/system/handoverd.service.d/" + name + ".conf",
                           "[Service]\n" + lines);
}

void ServiceUnderLoad::configure(const std::string& lines, const std::string& also_listen) const {
    std::string listen = "listen=[::]:9999\nlisten=unix:" + unix_path_.string() + "\n";
    if (!also_listen.empty()) listen += "listen=" + also_listen + "\n";
    container_->write_file(configuration_file, listen + lines);
}

void ServiceUnderLoad::TearDown() {
    if (!HasFailure() || !container_) return;
    std::cout
        << container_->run("systemctl status --no-pager --full --lines=0 handoverd.service").out
        << container_->journal("handoverd.service") << std::endl;
}

bool ServiceUnderLoad::becomes_main(pid_t pid) const {
    return eventually([&] { return main_pid() == pid; });
}

Finished ServiceUnderLoad::systemctl(const std::string& verb_and_unit) const {
    return container_->run("systemctl " + verb_and_unit);
}

ServiceUnderLoad::milliseconds ServiceUnderLoad::reload() const {
    const auto finished = systemctl("reload handoverd.service");
    EXPECT_EQ(finished.exit_status, 0) << finished.err;
    return finished.duration;
}

Load ServiceUnderLoad::start_load(const std::string& name, const std::string& target,
                                  const std::vector<std::string>& options) const {
    return {container_->spawn_in_network(Load::command(target, options)), name};
}

IdleConnections ServiceUnderLoad::start_idle(const std::string& target,
                                             std::size_t connections) const {
    return {container_->spawn_in_network(IdleConnections::command(target, connections)),
            "idle connections to " + target};
}

std::vector<Load> ServiceUnderLoad::start_everybody(const std::vector<std::string>& options) const {
    std::vector<std::string> gentle{"--rate", "150", "--connections",
                                    std::to_string(connections_of_each)};
    gentle.insert(gentle.end(), options.begin(), options.end());
    std::vector<std::string> keep_alive = gentle;
    keep_alive.insert(keep_alive.end(), {"--keep-alive", "--method", "POST", "--body", "text"});
    std::vector<Load> clients;
    for (const auto& target : {std::string(tcp4), std::string(tcp6), unix_target()}) {
        clients.push_back(start_load("a connection per request to " + target, target, gentle));
        clients.push_back(start_load("keep-alive to " + target, target, keep_alive));
    }
    await_answers(clients, 1);
    return clients;
}

Load ServiceUnderLoad::start_slow_requests(int count, const std::string& sleep) const {
    Load slow = start_load("slow requests", tcp4,
                           {"--path", "/hello?sleep=" + sleep, "--requests", std::to_string(count),
                            "--connections", std::to_string(count)});
    slow.await_all_sent();
    // Connections are accepted in the order in which they came: when a later one has been
    // answered, the slow ones are inside.
    (void)ask();
    return slow;
}

Answer ServiceUnderLoad::ask() const {
    Load single = start_load("a single request", tcp4, {"--requests", "1", "--connections", "1"});
    const LoadReport report = single.finish();
    if (report.answered() != 1) {
        std::ostringstream text;
        text << "a single request was not answered: " << report;
        throw std::runtime_error(text.str());
    }
    if (report.generations.empty() || report.pids.empty())
        throw std::runtime_error("the answer has no Handover-Generation and Handover-Pid");
    return {std::stol(report.generations.begin()->first),
            static_cast<pid_t>(std::stol(report.pids.begin()->first))};
}

void ServiceUnderLoad::await_answers(std::vector<Load>& clients, int count) {
    for (auto& client : clients) client.await_answers(count);
}

std::vector<LoadReport> ServiceUnderLoad::expect_nothing_lost(std::vector<Load>& clients) {
    std::vector<LoadReport> reports;
    for (auto& client : clients) {
        const LoadReport& report = reports.emplace_back(stop_and_print(client));
        EXPECT_EQ(report.not_connected(), 0) << client.name();
        EXPECT_EQ(report.failed(), 0) << client.name();
        EXPECT_GT(report.answered(), 0) << client.name();
        EXPECT_EQ(report.reconnects, 0) << client.name();
        EXPECT_EQ(report.closed_while_idle, 0) << client.name();
    }
    return reports;
}

LoadReport ServiceUnderLoad::stop_and_print(Load& client) {
    LoadReport report = client.stop();
    std::cout << client.name() << ": " << report << '\n';
    return report;
}

void ServiceUnderLoad::install_good_binary() const {
    container_->copy_in(root_.string() + program, program);
}

void ServiceUnderLoad::install_helper(const std::string& name) const {
    container_->copy_in(packages_of(suite_) / "helpers" / name, "/usr/bin/" + name);
}

void ServiceUnderLoad::install_binary(const std::string& content, fs::perms mode) const {
    container_->write_file(program, content, mode);
}

void ServiceUnderLoad::break_binary(const BinaryFault& fault) const {
    if (fault.content.empty())
        container_->output_of(std::string("rm ") + program);
    else
        install_binary(fault.content, fault.mode);
}

void ServiceUnderLoad::kill(const std::vector<pid_t>& pids, const std::string& signal) const {
    std::string command = "kill -" + signal;
    for (const pid_t pid : pids) command += " " + std::to_string(pid);
    container_->output_of(command);
}

std::string ServiceUnderLoad::unix_target() const {
    return "unix:" + container_->outside(unix_path_).string();
}

}  // namespace handover::test
