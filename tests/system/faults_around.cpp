// SPDX-License-Identifier: MIT
#include "system/fault_table.h"

#include <optional>

namespace handover::test {
namespace {

/// Puts PID 1 to sleep, and wakes it up whatever happens.
class SleepingManager {
  public:
    explicit SleepingManager(const Container& container) : container_(container) {
        container_.pause();
    }
    ~SleepingManager() { container_.resume(); }
    SleepingManager(const SleepingManager&) = delete;
    SleepingManager& operator=(const SleepingManager&) = delete;

  private:
    const Container& container_;
};

bool is_dead(FaultyService& service, pid_t pid) {
    // Until its parent is awake it is a zombie.
    return service.container()
               .run("grep -q '^State:.[^Z]' /proc/" + std::to_string(pid) + "/status")
               .exit_status != 0;
}

/// A reload needs nothing of it: what it is told waits in its socket. The probation ends, too, and
/// the old main process, of which it has not heard that it is not the main process any more.
void reload_while_manager_sleeps(FaultyService& service) {
    const Answer before = service.ask();
    {
        const SleepingManager sleeping(service.container());
        const Finished reload = service.container().run("handoverd reload");
        EXPECT_EQ(reload.exit_status, 0) << reload.err;
        EXPECT_TRUE(eventually([&] { return is_dead(service, before.pid); }));
        service.await_answers(30);
    }
    const Answer after = service.ask();
    EXPECT_EQ(after.generation, before.generation + 1);
    EXPECT_TRUE(service.becomes_main(after.pid));
    EXPECT_EQ(service.property("NRestarts"), "0");
}

// A sender has a limit of its own, so several of them fill the queue.
constexpr auto fill_notify_socket = R"(perl -e '
    use strict;
    use Socket qw(:DEFAULT MSG_DONTWAIT);
    my (@senders, $sent);
    do {
        socket my $sender, PF_UNIX, SOCK_DGRAM, 0 or die;
        connect $sender, pack_sockaddr_un("/run/systemd/notify") or die;
        $sent = 0;
        $sent++ while send $sender, "X_NOTHING=1", MSG_DONTWAIT;
        push @senders, $sender;
    } while ($sent > 0);
    $!{EAGAIN} or die;')";

/// Whoever is served does not notice; the reload waits for the manager.
void reload_while_notify_socket_is_full(FaultyService& service) {
    const Answer before = service.ask();
    std::optional<SleepingManager> sleeping(service.container());
    service.container().output_of(fill_notify_socket);
    auto reloading = service.container().spawn("handoverd reload");
    service.await_answers(150);
    EXPECT_EQ(service.ask().generation, before.generation);
    sleeping.reset();
    const auto reload = reloading.wait(timeout);
    ASSERT_TRUE(reload);
    EXPECT_EQ(reload->exit_status, 0) << reload->err;
    EXPECT_EQ(service.ask().generation, before.generation + 1);
}

/// To what is in it: nothing is left for connections, which are closed in a restart as politely as
/// in a stop.
void restart_with_full_store(FaultyService& service) {
    const std::string used = service.property("NFileDescriptorStore");
    service.container().write_file("/etc/systemd/system/handoverd.service.d/store.conf",
                                   "[Service]\nFileDescriptorStoreMax=" + used + "\n");
    EXPECT_EQ(service.systemctl("daemon-reload").exit_status, 0);
    EXPECT_EQ(service.systemctl("restart handoverd.service").exit_status, 0);
    EXPECT_EQ(service.property("NFileDescriptorStore"), used);
}

void restart_with_strangers_in_store(FaultyService& service) {
    const int used = std::stoi(service.property("NFileDescriptorStore"));
    service.install_helper("store_strangers");
    service.container().output_of(
        "echo $$ >/sys/fs/cgroup" + service.property("ControlGroup") +
        "/cgroup.procs; NOTIFY_SOCKET=/run/systemd/notify exec store_strangers");
    EXPECT_EQ(service.property("NFileDescriptorStore"), std::to_string(used + 3));
    service.reload();
    EXPECT_EQ(service.systemctl("restart handoverd.service").exit_status, 0);
    const std::string journal = service.container().journal(FaultyService::unit);
    for (const char* name : {"stranger-pipe", "stranger-file", "stranger-socket"})
        EXPECT_NE(journal.find(name), std::string::npos) << name << " is not mentioned";
}

// ---- logs

// The journal needs some room to begin with. Then it is filled up: by what is logged, and the rest.
constexpr auto fill_logs = R"(
    for directory in /run/log/journal /var/log/journal; do
        mkdir -p $directory
        mount -t tmpfs -o size=2m tmpfs $directory
    done
    systemctl restart systemd-journald.service
    head -c 4000000 /dev/urandom | base64 -w 40000 | systemd-cat
    for directory in /run/log/journal /var/log/journal; do
        dd if=/dev/zero of=$directory/full bs=4k 2>/dev/null && exit 1
    done
    true)";

void reload_with_full_journal(FaultyService& service) {
    service.container().output_of(fill_logs);
    for (int i = 0; i < 3; ++i) service.reload();
    EXPECT_EQ(service.systemctl("restart handoverd.service").exit_status, 0);
}

void reload_with_full_log_file(FaultyService& service) {
    service.container().output_of("mkdir /logs && mount -t tmpfs -o size=64k tmpfs /logs");
    service.container().write_file("/etc/systemd/system/handoverd.service.d/log.conf",
                                   "[Service]\nStandardError=append:/logs/log\n");
    EXPECT_EQ(service.systemctl("daemon-reload").exit_status, 0);
    EXPECT_EQ(service.systemctl("restart handoverd.service").exit_status, 0);
    EXPECT_NE(service.container().run("dd if=/dev/zero bs=1 count=100000 >>/logs/log").exit_status,
              0)
        << "the file system is not full";
    for (int i = 0; i < 3; ++i) service.reload();
    service.container().output_of("rm /etc/systemd/system/handoverd.service.d/log.conf");
    EXPECT_EQ(service.systemctl("daemon-reload").exit_status, 0);
    EXPECT_EQ(service.systemctl("restart handoverd.service").exit_status, 0);
}

}  // namespace

std::vector<Fault> faults_around() {
    return {
        {"manager_sleeps", reload_while_manager_sleeps},
        {"notify_socket_full", reload_while_notify_socket_is_full},
        {"store_full", restart_with_full_store, Loss::kept_connections},
        {"strangers_in_store", restart_with_strangers_in_store},
        {"journal_full", reload_with_full_journal},
        {"log_file_full", reload_with_full_log_file},
    };
}

}  // namespace handover::test
