// SPDX-License-Identifier: MIT
#include "support/resource_limit.h"
#include "system/fault_table.h"

namespace handover::test {
namespace {

using Strike = std::function<void(FaultyService&)>;

/// A reload after `breaks` fails for that reason.
Strike fails(const std::string& reason, const Strike& breaks) {
    return [reason, breaks](FaultyService& service) {
        breaks(service);
        service.expect_failed_reload(reason);
        service.repair();
    };
}

/// A script is as good as an ELF here: what counts is what the process does.
Strike fails_with_script(const std::string& reason, const std::string& commands) {
    return fails(reason, [commands](FaultyService& service) { service.install_script(commands); });
}

/// As when a library has been upgraded and the program has not.
void need_a_library_that_is_missing(FaultyService& service) {
    const std::string program = FaultyService::program;
    service.container().output_of("sed 's/libsystemd[.]so[.]0/libsystemx.so.0/' " + program + " >" +
                                  program + ".new && chmod 755 " + program + ".new && mv " +
                                  program + ".new " + program);
}

/// A program that somebody is still writing cannot be executed.
void reload_while_the_program_is_written(FaultyService& service) {
    service.install_good_binary();  // the one that runs cannot be opened for writing
    auto writer = service.container().spawn(std::string("exec 9>>") + FaultyService::program +
                                            "; echo open; read line");
    ASSERT_TRUE(writer.wait_for_line("open", timeout));
    service.expect_failed_reload("Text file busy");
    writer.close_stdin();
    ASSERT_TRUE(writer.wait(timeout));
}

/// A service that has no network can only miss a path.
void listen_where_another_does(FaultyService& service) {
    service.container().output_of(
        std::string("systemd-run --quiet --service-type=notify --unit=other ") +
        FaultyService::program + " serve --listen [::]:9998 --admin unix:/run/other.sock");
    const bool has_network = service.property("PrivateNetwork") == "no";
    service.configure("", has_network ? "[::]:9998" : "unix:/run/other.sock");
}

/// Below what is open, so that nothing at all can be opened.
void reload_without_descriptors(FaultyService& service) {
    const std::string pid = std::to_string(service.main_pid());
    // As its own user: not every machine lets root of a container touch the limits of others.
    const std::string limit = "setpriv --reuid $(stat -c %u /proc/" + pid +
                              ") --regid $(stat -c %g /proc/" + pid +
                              ") --clear-groups prlimit --pid " + pid + " --nofile";
    const std::string usual = service.container().output_of(limit + " --noheadings --output=SOFT");
    service.container().output_of(limit + "=4:");
    service.expect_failed_reload_by_signal("Too many open files");
    service.container().output_of(limit + "=" + usual + ":");
}

void reload_without_processes(FaultyService& service) {
    const auto limit = ResourceLimit::no_new_task(service.container(), FaultyService::unit);
    service.expect_failed_reload_by_signal("Resource temporarily unavailable");
}

void reload_to_one_that_eats_all_memory(FaultyService& service) {
    constexpr int some = 64 << 20;
    const auto limit = ResourceLimit::more_memory(service.container(), FaultyService::unit, some);
    service.install_script("exec perl -e 'push @all, \"x\" x 1048576 while 1'");
    service.expect_failed_reload("died of SIGKILL");
    EXPECT_EQ(service.property("NRestarts"), "0") << "systemd has ended the whole service";
    // Whether or not it is systemd that set the limit.
    EXPECT_EQ(service.property("OOMPolicy"), "continue");
    service.repair();
}

constexpr auto half_a_message = R"(exec perl -e '
    my @names = split /:/, $ENV{LISTEN_FDNAMES};
    my ($channel) = grep { $names[$_] eq "channel" } 0..$#names;
    open my $out, ">&=", 3 + $channel or die;
    syswrite $out, "HOV1\x03\x00";
    sleep;')";

}  // namespace

std::vector<Fault> faults_before_ready() {
    std::vector<Fault> rows{
        {"busy", reload_while_the_program_is_written},
        {"library_missing", fails("exited with status 127", need_a_library_that_is_missing)},
        {"stops_itself", fails_with_script("was not ready within 2000 ms", "kill -STOP $$")},
        {"says_half_a_message",
         fails_with_script("sent what is not a message of this protocol", half_a_message)},
        {"configuration_wrong",
         fails("refused to start: /etc/handoverd.conf:3: drain-timeout=ten seconds: not a time, ",
               [](FaultyService& service) { service.configure("drain-timeout=ten seconds\n"); })},
        {"port_taken", fails("Address already in use", listen_where_another_does)},
        {"no_descriptor_left", reload_without_descriptors},
        {"no_process_left", reload_without_processes},
        {"no_memory_left", reload_to_one_that_eats_all_memory},
    };
    for (const auto& fault : binary_faults())
        rows.push_back({fault.name, fails(fault.reason, [&fault](FaultyService& service) {
                            service.break_binary(fault);
                        })});
    return rows;
}

}  // namespace handover::test
