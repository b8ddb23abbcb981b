// SPDX-License-Identifier: MIT
// handoverd as apt installs, upgrades and removes it.
#include "system/roots.h"
#include "system/service_under_load.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <regex>

namespace handover::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Key;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAre;

constexpr auto socket_unit = "handoverd.socket";

/// A Debian of this release with nothing installed.
class Packages : public ServiceUnderLoad, public testing::WithParamInterface<std::string> {
  protected:
    void SetUp() override {
        boot_empty(bare_root_of(GetParam()));
        for (const auto* kind : {"good", "next", "crash-at-start", "crash-later"})
            container().copy_in(package(packages_of(GetParam()) / kind), file(kind));
    }

    /// See tests/packages/build. Whatever is installed already.
    Finished apt_install(const std::string& kind) {
        return container().run(
            "DEBIAN_FRONTEND=noninteractive apt-get install -q -y --reinstall "
            "--allow-downgrades " +
                file(kind).string(),
            std::chrono::seconds(90));
    }
    void install(const std::string& kind) {
        const auto finished = apt_install(kind);
        ASSERT_EQ(finished.exit_status, 0) << finished.out << finished.err;
        EXPECT_THAT(finished.out + finished.err, Not(HasSubstr("handoverd: ")));
        expect_installed(kind);
    }
    void expect_installed(const std::string& kind) {
        EXPECT_EQ(container().output_of("dpkg-query -W -f '${Status} ${Version}' handoverd"),
                  "install ok installed " + version_of(kind));
    }
    std::string version_of(const std::string& kind) {
        auto version = container().output_of("dpkg-deb -f " + file(kind).string() + " Version");
        return version.substr(0, version.find('\n'));
    }
    nlohmann::json status() {
        return nlohmann::json::parse(container().output_of(
            "curl -sS --fail --unix-socket /run/handoverd/admin.sock http://localhost/status"));
    }
    /// How many connections went down with the new version, as the old one says.
    std::int64_t lost_in_rollback() {
        const auto told = status().at("last_handover").get<std::string>();
        std::smatch match;
        if (!std::regex_search(told, match, std::regex("(no|[0-9]+) connections? went down")))
            throw std::runtime_error("it does not say how many connections it cost: " + told);
        return match[1] == "no" ? 0 : std::stoll(match[1]);
    }
    std::string serving_version() { return status().at("version"); }
    std::string state_of(const std::string& which) {
        return container().property(which, "ActiveState");
    }
    std::string page() { return container().output_of("curl -sS --fail http://localhost:9999/"); }

    /// Of the whole system, but for what dpkg, apt and systemd write about themselves.
    std::string files() {
        return container().output_of(
            "find / -xdev \\( -path /root -o -path /tmp -o -path /var/tmp "
            "-o -path /var/log/apt -o -path /var/log/dpkg.log -o -path /var/log/journal "
            "-o -path /var/cache/apt -o -path /var/lib/apt -o -path '/var/lib/dpkg/*-old' "
            "-o -path '/var/cache/debconf/tmp.*' "
            "-o -path /var/lib/systemd/timers \\) -prune -o -print | sort");
    }

    /// As the example says, from the next start on.
    void log_accesses() {
        const fs::path file = "/etc/handoverd/handoverd.conf";
        container().write_file(file, container().read_file(file) +
                                         "access-log=combined\n"
                                         "access-log-file=/var/log/handoverd/access.log\n");
        add_example("access-log.conf");
        container().output_of("systemctl daemon-reload");
    }

    /// At full speed.
    std::vector<Load> start_clients() {
        std::vector<Load> clients;
        clients.push_back(start_load(
            "keep-alive", tcp4,
            {"--connections", "64", "--keep-alive", "--method", "POST", "--body", "text"}));
        clients.push_back(start_load("a connection per request", tcp4, {"--connections", "8"}));
        await_answers(clients, 100);
        return clients;
    }

    static fs::path package(const fs::path& directory, const std::string& name = "handoverd_") {
        for (const auto& entry : fs::directory_iterator(directory))
            if (entry.path().filename().string().starts_with(name)) return entry.path();
        throw std::runtime_error("there is no " + name + "*.deb in " + directory.string());
    }

  private:
    static fs::path file(const std::string& kind) { return "/root/" + kind + ".deb"; }
};

TEST_P(Packages, serve_at_once_when_they_are_installed_as_the_README_says) {
    container().output_of("cp /root/good.deb /root/handoverd_0_all.deb");
    EXPECT_THAT(
        container().output_of("cd /root && yes | sh -ec '" + readme_command("install") + "'"),
        HasSubstr("handoverd is serving"));
    EXPECT_EQ(state_of(unit), "active");
    container().output_of("systemctl stop handoverd.service");
    install("good");
    EXPECT_EQ(container().property(socket_unit, "UnitFileState"), "enabled");
    EXPECT_EQ(state_of(unit), "inactive") << "it comes with the first connection";
    EXPECT_THAT(page(), HasSubstr("handoverd is serving"));
    EXPECT_EQ(state_of(unit), "active");
    EXPECT_EQ(serving_version(), version_of("good"));
    EXPECT_THAT(container().output_of("handoverd status"), HasSubstr(version_of("good")));
    EXPECT_EQ(container().run("handoverd check").exit_status, 0);
}

TEST_P(Packages, that_are_upgraded_and_downgraded_under_load_lose_nothing) {
    install("good");
    auto clients = start_clients();
    for (const auto* kind : {"next", "good", "good"}) {
        install(kind);
        EXPECT_EQ(serving_version(), version_of(kind));
        await_answers(clients, 100);
    }
    EXPECT_EQ(status().at("generation"), 4);
    for (const auto& report : expect_nothing_lost(clients))
        EXPECT_THAT(report.generations,
                    UnorderedElementsAre(Key("1"), Key("2"), Key("3"), Key("4")));
}

TEST_P(Packages, that_crash_at_start_leave_the_old_version_serving) {
    install("good");
    auto clients = start_clients();
    const auto finished = apt_install("crash-at-start");
    EXPECT_EQ(finished.exit_status, 0) << finished.err;
    EXPECT_THAT(finished.out + finished.err,
                AllOf(HasSubstr("goes on serving, for the new one did not take over: "),
                      HasSubstr("SIGSEGV")));
    expect_installed("crash-at-start");
    EXPECT_EQ(serving_version(), version_of("good"));
    EXPECT_EQ(state_of(unit), "active");
    await_answers(clients, 100);
    install("next");
    EXPECT_EQ(serving_version(), version_of("next")) << "the next good one is taken";
    expect_nothing_lost(clients);
}

TEST_P(Packages, that_crash_on_probation_are_rolled_back) {
    install("good");
    auto clients = start_clients();
    const auto main = main_pid();
    const auto finished = apt_install("crash-later");
    EXPECT_EQ(finished.exit_status, 0) << finished.err;
    EXPECT_THAT(finished.out + finished.err,
                AllOf(HasSubstr("goes on serving, for the new one crashed or hung on probation: "
                                "rolled back: "),
                      HasSubstr("SIGALRM")));
    expect_installed("crash-later");
    await_answers(clients, 100);
    EXPECT_EQ(main_pid(), main);
    EXPECT_EQ(serving_version(), version_of("good"));
    // What the process that died held, and no more.
    const auto lost = lost_in_rollback();
    const auto keep_alive = stop_and_print(clients.at(0));
    EXPECT_LE(keep_alive.failed() + keep_alive.closed_while_idle, lost);
    EXPECT_LE(keep_alive.reconnects, lost);
    const auto one_by_one = stop_and_print(clients.at(1));
    EXPECT_LE(one_by_one.failed(), 8) << "a request on each of its connections";
    for (const auto& report : {keep_alive, one_by_one}) {
        EXPECT_EQ(report.not_connected(), 0);
        EXPECT_EQ(report.count(Outcome::timed_out), 0);
    }
}

TEST_P(Packages, whose_probation_is_long_do_not_keep_apt_waiting) {
    install("good");
    const fs::path file = "/etc/handoverd/handoverd.conf";
    container().write_file(file, container().read_file(file) + "probation=10min\n");
    (void)page();
    const auto finished = apt_install("next");
    EXPECT_EQ(finished.exit_status, 0) << finished.err;
    EXPECT_LT(finished.duration, std::chrono::minutes(1));
    EXPECT_THAT(finished.out + finished.err, HasSubstr("still on probation"));
    EXPECT_EQ(serving_version(), version_of("next"));
}

TEST_P(Packages, that_are_upgraded_leave_a_service_as_it_was) {
    const std::string both = " handoverd.service handoverd.socket";
    install("good");
    install("next");
    EXPECT_EQ(state_of(socket_unit), "active");
    EXPECT_EQ(state_of(unit), "inactive") << "only the socket was there";

    (void)page();
    container().output_of("systemctl disable --now" + both);
    install("good");
    EXPECT_EQ(state_of(socket_unit), "inactive");
    EXPECT_EQ(state_of(unit), "inactive");

    container().output_of("systemctl mask" + both);
    install("next");
    EXPECT_EQ(state_of(socket_unit), "inactive");
    EXPECT_EQ(container().property(unit, "LoadState"), "masked");

    container().output_of("systemctl unmask" + both);
    container().output_of("systemctl start handoverd.socket");
    EXPECT_THAT(page(), HasSubstr("handoverd is serving"));
    EXPECT_EQ(serving_version(), version_of("next"));
}

TEST_P(Packages, that_are_removed_finish_requests_and_leave_nothing_when_purged) {
    const auto before = files();
    install("good");
    log_accesses();
    (void)page();
    auto slow = start_slow_requests(3, "2s");
    container().output_of("apt-get remove -q -y handoverd");
    EXPECT_EQ(state_of(socket_unit), "inactive");
    const auto report = slow.finish();
    EXPECT_EQ(report.answered(), 3) << report;
    EXPECT_EQ(state_of(unit), "inactive");
    EXPECT_TRUE(fs::exists(container().outside("/etc/handoverd/handoverd.conf")));
    EXPECT_THAT(container().output_of("cat /var/log/handoverd/access.log"), HasSubstr("GET / "));
    container().output_of("apt-get purge -q -y handoverd");
    container().output_of("rm -r /etc/systemd/system/handoverd.service.d");  // which was ours
    EXPECT_EQ(files(), before);
}

TEST_P(Packages, that_policy_forbids_to_reload_are_installed_and_no_more) {
    install("good");
    (void)page();
    container().write_file("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", fs::perms(0755));
    install("next");
    EXPECT_EQ(serving_version(), version_of("good"));
}

TEST_P(Packages, have_the_symbols_of_the_very_program) {
    install("good");
    (void)page();
    container().copy_in(package(packages_of(GetParam()) / "good", "handoverd-dbgsym_"),
                        "/root/symbols.deb");
    container().output_of("apt-get install -q -y /root/symbols.deb");
    const auto build_id = status().at("build_id").get<std::string>();
    EXPECT_TRUE(fs::exists(container().outside("/usr/lib/debug/.build-id/" + build_id.substr(0, 2) +
                                               "/" + build_id.substr(2) + ".debug")));
}

TEST_P(Packages, are_reloaded_by_needrestart) {
    install("good");
    (void)page();
    auto clients = start_clients();
    auto slow = start_slow_requests(3, "3s");
    container().output_of("/etc/needrestart/restart.d/handoverd.service");
    EXPECT_EQ(status().at("generation"), 2);
    // What it does without the hook, and while a predecessor drains.
    container().output_of("systemctl restart handoverd.service");
    EXPECT_EQ(status().at("generation"), 3);
    await_answers(clients, 100);
    const auto report = slow.finish();
    EXPECT_EQ(report.answered(), 3) << report;
    expect_nothing_lost(clients);
}

TEST_P(Packages, pass_their_own_test) {
    install("good");
    container().copy_in(source_directory() / "debian/tests/serve", "/root/serve");
    EXPECT_THAT(container().output_of("/root/serve"), HasSubstr("no request failed"));
}

TEST_P(Packages, can_be_installed_and_upgraded_where_there_is_no_systemd) {
    // As in a chroot: nobody sees it run.
    const std::string without = "unshare --mount sh -euc 'mount -t tmpfs none /run; ";
    container().output_of(without + "dpkg -i /root/good.deb'");
    container().output_of(without + "dpkg -i /root/next.deb'");
    EXPECT_EQ(state_of(unit), "inactive");
    EXPECT_THAT(container().output_of("handoverd --version"), StartsWith(version_of("next")));
}

INSTANTIATE_TEST_SUITE_P(, Packages, testing::ValuesIn(all_suites()),
                         [](const auto& test) { return name_of_suite(test.param); });

}  // namespace
}  // namespace handover::test
