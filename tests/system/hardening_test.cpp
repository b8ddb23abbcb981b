// SPDX-License-Identifier: MIT
// The sandbox of the shipped unit: what it is worth, that nothing of ours needs more, and what it
// tells whoever wants more. All other tests of the service run in it, too.
#include "support/contains.h"
#include "support/raw_client.h"
#include "system/service_under_load.h"

#include <iostream>
#include <regex>

namespace handover::test {
namespace {

class SystemHardening : public ServiceInSetting {
  protected:
    void SetUp() override { boot(GetParam(), "--probation 1s"); }

    /// These lines come after all other drop-ins.
    [[nodiscard]] Finished restart_with(const std::string& lines) const {
        add_drop_in("zz", lines);
        EXPECT_EQ(systemctl("daemon-reload").exit_status, 0);
        return systemctl("restart handoverd.service");
    }

    void restart() const {
        const Finished finished = systemctl("restart handoverd.service");
        EXPECT_EQ(finished.exit_status, 0) << finished.err;
    }

    [[nodiscard]] Finished restart_as(const std::string& command) const {
        return restart_with("ExecStart=\nExecStart=" + command + "\n");
    }

    [[nodiscard]] std::string status_of(pid_t pid, const std::string& field) {
        return container().output_of("sed -n 's/^" + field + ":\t//p' /proc/" +
                                     std::to_string(pid) + "/status");
    }

    [[nodiscard]] std::string namespace_of(const std::string& pid, const std::string& kind) {
        return container().output_of("readlink /proc/" + pid + "/ns/" + kind);
    }

    void expect_in_sandbox(pid_t pid) {
        EXPECT_FALSE(contains(status_of(pid, "Uid") + "\t", "\t0\t")) << "it runs as root";
        for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
            EXPECT_EQ(status_of(pid, set), "0000000000000000") << set;
        EXPECT_EQ(status_of(pid, "NoNewPrivs"), "1");
        EXPECT_EQ(status_of(pid, "Seccomp"), "2") << "no filter of system calls";
        const auto text = std::to_string(pid);
        EXPECT_NE(namespace_of(text, "mnt"), namespace_of("1", "mnt"));
        EXPECT_EQ(namespace_of(text, "net") != namespace_of("1", "net"), GetParam().socket_unit);
    }

    [[nodiscard]] RawResponse get(const std::string& path) {
        // A unix path is reached from outside of the container's network namespace.
        return RawClient(Endpoint::parse(unix_target())).get(path);
    }
};
INSTANTIATE_TEST_SUITE_P(, SystemHardening, testing::ValuesIn(all_settings()), name_of_parameter);

TEST_P(SystemHardening, is_worth_its_exposure_score) {
    const std::string report =
        container().output_of("systemd-analyze security --no-pager handoverd.service");
    std::smatch score;
    ASSERT_TRUE(std::regex_search(report, score, std::regex("exposure level .*: ([0-9.]+) ")))
        << report;
    std::cout << "exposure " << score[1] << '\n';
    EXPECT_LE(std::stod(score[1]), GetParam().socket_unit ? 0.5 : 1.4) << report;
}

TEST_P(SystemHardening, holds_for_every_generation) {
    expect_in_sandbox(main_pid());
    reload();
    expect_in_sandbox(ask().pid);
    ASSERT_TRUE(becomes_main(ask().pid));
    restart();
    expect_in_sandbox(main_pid());
}

/// Usually a forbidden system call fails, and what a library does then may go unnoticed.
TEST_P(SystemHardening, forbids_no_system_call_that_is_made) {
    ASSERT_TRUE(restart_with("SystemCallErrorNumber=kill\n").ok());
    auto clients = start_everybody();
    for (int i = 0; i < 3; ++i) {
        reload();
        await_answers(clients, 10);
    }
    ASSERT_TRUE(becomes_main(ask().pid));
    restart();
    kill({main_pid()});
    await_answers(clients, 30);
    EXPECT_EQ(property("NRestarts"), "1");
    EXPECT_FALSE(contains(container().journal(), "SIGSYS"));
}

TEST_P(SystemHardening, lets_root_ask_and_command_and_nobody_else) {
    const Answer before = ask();
    EXPECT_TRUE(contains(container().output_of("handoverd status"), "serving"));
    EXPECT_EQ(container().run("handoverd reload").exit_status, 0);
    EXPECT_EQ(ask().generation, before.generation + 1);

    constexpr auto as_nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups handoverd ";
    for (const std::string command : {"status", "reload"})
        EXPECT_NE(container().run(as_nobody + command).exit_status, 0) << command;
    EXPECT_EQ(ask().generation, before.generation + 1);
}

/// What the service itself makes: the listeners of the .socket unit are not of its control group.
TEST_P(SystemHardening, denies_IP_to_its_own_sockets_unless_they_are_to_listen) {
    constexpr auto connect =
        R"(perl -MIO::Socket::INET -e '
            exit !IO::Socket::INET->new(PeerAddr => "127.0.0.1:9999", Timeout => 1)')";
    ASSERT_TRUE(container().run(connect).ok());
    const std::string join =
        "echo $$ >/sys/fs/cgroup" + property("ControlGroup") + "/cgroup.procs; exec ";
    EXPECT_EQ(container().run(join + connect).ok(), !GetParam().socket_unit)
        << "systemd needs BPF and cgroup version 2 for this: see what its journal says";
}

/// The same program with another build ID, put in place as dpkg does it.
TEST_P(SystemHardening, lets_a_replaced_binary_run) {
    const auto build_id = [this] {
        const std::string status = container().output_of("handoverd status --json");
        std::smatch found;
        std::regex_search(status, found, std::regex(R"("build_id": "([0-9a-f]+)\")"));
        return found[1].str();
    };
    const auto replace_build_id = [this](const std::string& from, const std::string& to) {
        container().output_of("cd /usr/bin && perl -0777 -pe 's/\\Q${\\pack(\"H*\", \"" + from +
                              "\")}/pack(\"H*\", \"" + to +
                              "\")/e' handoverd >handoverd.new && chmod 755 handoverd.new && "
                              "mv handoverd.new handoverd");
    };
    const std::string original = build_id();
    ASSERT_EQ(original.size(), 40U);
    const std::string second(40, 'a');
    const std::string third(40, 'b');
    replace_build_id(original, second);
    EXPECT_EQ(build_id(), original);
    reload();
    EXPECT_EQ(build_id(), second);
    ASSERT_TRUE(becomes_main(ask().pid));
    replace_build_id(second, third);
    restart();
    EXPECT_EQ(build_id(), third);
}

TEST_P(SystemHardening, serves_files_of_the_system_and_none_of_its_users) {
    for (const std::string root : {"/srv/site/", "/var/www/", "/home/user/"})
        container().write_file(root + "page.txt", "the page of " + root);
    for (const std::string root : {"/srv/site/", "/var/www/"}) {
        ASSERT_TRUE(restart_as(program + (" serve " + arguments("--root " + root))).ok());
        EXPECT_EQ(get("/page.txt").body, "the page of " + root);
        reload();
        EXPECT_EQ(get("/page.txt").body, "the page of " + root);
    }
    EXPECT_FALSE(restart_as(program + (" serve " + arguments("--root /home/user"))).ok());
    EXPECT_EQ(property("ExecMainStatus"), "64");
    EXPECT_TRUE(contains(
        container().journal(unit),
        "--root: the sandbox of the service hides what is below /home (ProtectHome=), put it"));
}

std::vector<Setting> settings_where(bool socket_unit) {
    auto settings = all_settings();
    std::erase_if(settings,
                  [=](const Setting& setting) { return setting.socket_unit != socket_unit; });
    return settings;
}

class SystemPort80 : public SystemHardening {};
INSTANTIATE_TEST_SUITE_P(, SystemPort80, testing::ValuesIn(settings_where(/*socket_unit=*/true)),
                         name_of_parameter);

TEST_P(SystemPort80, needs_no_privilege_with_the_socket_unit) {
    EXPECT_EQ(systemctl("stop handoverd.service handoverd.socket").exit_status, 0);
    container().write_file("/etc/systemd/system/handoverd.socket.d/test.conf",
                           "[Socket]\nListenStream=\nListenStream=80\n");
    EXPECT_EQ(systemctl("daemon-reload").exit_status, 0);
    EXPECT_EQ(systemctl("start handoverd.socket").exit_status, 0);
    ASSERT_TRUE(restart_as(std::string(program) + " serve").ok());
    expect_in_sandbox(main_pid());
    std::vector<Load> clients;
    for (const std::string target : {"127.0.0.1:80", "[::1]:80"})
        clients.push_back(
            start_load("keep-alive to " + target, target, {"--rate", "150", "--keep-alive"}));
    for (int i = 0; i < 3; ++i) {
        await_answers(clients, 10);
        reload();
        await_answers(clients, 10);
        restart();
    }
    await_answers(clients, 10);
    expect_nothing_lost(clients);
}

/// A listener of the service's own where the network is not open to it.
class SystemPrivateNetwork : public SystemHardening {
  protected:
    // What the drop-in for this setting has opened.
    static constexpr auto as_shipped =
        "PrivateNetwork=yes\nRestrictAddressFamilies=\nRestrictAddressFamilies=AF_UNIX\n";
    static constexpr auto private_network = "PrivateNetwork=yes\n";

    /// What is in the fd store goes with a stop.
    [[nodiscard]] Finished start_with(const std::string& lines) {
        EXPECT_EQ(systemctl("stop handoverd.service").exit_status, 0);
        return restart_with(lines);
    }

    void expect_refused(const std::string& lines, const std::string& reason) {
        EXPECT_FALSE(start_with(lines).ok());
        EXPECT_EQ(property("ActiveState"), "failed") << "the next start would be refused as well";
        EXPECT_EQ(property("ExecMainStatus"), "78");
        EXPECT_EQ(property("NRestarts"), "0");
        const std::string journal = container().journal(unit);
        EXPECT_TRUE(contains(journal, "cannot listen on [::]:9999 ('http'): " + reason)) << journal;
        EXPECT_TRUE(contains(journal, "with PrivateNetwork=no")) << "it does not say what to do";
    }
};
INSTANTIATE_TEST_SUITE_P(, SystemPrivateNetwork,
                         testing::ValuesIn(settings_where(/*socket_unit=*/false)),
                         name_of_parameter);

TEST_P(SystemPrivateNetwork, refuses_a_listener_of_its_own_with_a_clear_reason) {
    expect_refused(as_shipped, "this process may open no network socket");
    expect_refused(private_network, "nobody can reach its network namespace");
}

TEST_P(SystemPrivateNetwork, may_have_a_listener_on_loopback) {
    const std::string command =
        std::string(program) + " serve --listen 127.0.0.1:9999 --listen [::1]:9999";
    EXPECT_TRUE(start_with(private_network + ("ExecStart=\nExecStart=" + command + "\n")).ok());
    EXPECT_NE(namespace_of(std::to_string(main_pid()), "net"), namespace_of("1", "net"));
}

/// Every address came from the .socket unit; then the configuration wants one more.
class SystemOneMoreListener : public ServiceUnderLoad, public testing::WithParamInterface<Setting> {
  protected:
    void SetUp() override { boot_configured(GetParam(), ""); }
};
INSTANTIATE_TEST_SUITE_P(, SystemOneMoreListener,
                         testing::ValuesIn(settings_where(/*socket_unit=*/true)),
                         name_of_parameter);

TEST_P(SystemOneMoreListener, in_a_private_network_fails_the_reload_and_nothing_else) {
    auto clients = start_everybody();
    const Answer before = ask();
    configure("", "[::]:9998");
    EXPECT_NE(systemctl("reload handoverd.service").exit_status, 0);
    EXPECT_TRUE(contains(property("StatusText"), "cannot listen on [::]:9998 ('http'): "))
        << property("StatusText");
    EXPECT_EQ(ask().pid, before.pid);
    configure("");
    reload();
    await_answers(clients, 10);
    expect_nothing_lost(clients);
}

}  // namespace
}  // namespace handover::test
